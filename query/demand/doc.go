// Package demand foretells what a query looks at: one tree for the document,
// from the words of the query alone. It knows the language and the document's
// kinds; it runs nothing, asks nobody and sees no value.
//
// A tree is advice: what to ask for at once, and what to say of a query before
// it runs. It means to hold all that is looked at, and is wider where it can't
// tell; but nothing may depend on its being right. Who fetched too little has
// to fetch the rest.
//
// It is made from the end of the query to its beginning: what is looked at of
// the results gives what is looked at of the input ([Of]). Functions are
// followed into their definitions; a variable gathers all that is looked at of
// it, and hands it to what it was bound to.
package demand

// Package printers writes the results of a query: as JSON the way jq prints it,
// as the tables of kubectl get, or in one of kubectl's -o formats.
//
// A value may be lazy, so each format determines which parts of a value it
// prints, and only those parts are loaded. The package knows neither the query
// nor the source of the values. It opens no file and reads no clock: [Options]
// hold the time, the colours and a function that reads files. Read [Printer]
// first.
package printers

package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

// A mutant is one change of one file: the bytes [from, to) of text are replaced by with.
type mutant struct {
	target
	path     string
	text     []byte
	from, to int
	with     string
	line     int
}

// String returns the position of the change, the old text and the new text.
func (m mutant) String() string {
	return fmt.Sprintf("%s:%d: %s -> %s", m.path, m.line, m.text[m.from:m.to], m.with)
}

// key identifies the change in argued.txt. It consists of the path, the source line, the old text and the new text, but
// no line number.
func (m mutant) key() string {
	start := strings.LastIndexByte(string(m.text[:m.from]), '\n') + 1
	end := m.to + strings.IndexByte(string(m.text[m.to:])+"\n", '\n')
	return fmt.Sprintf("%s: %s: %s -> %s", filepath.ToSlash(m.path), strings.TrimSpace(string(m.text[start:end])), m.text[m.from:m.to], m.with)
}

// source returns the text of the changed file.
func (m mutant) source() []byte {
	return []byte(string(m.text[:m.from]) + m.with + string(m.text[m.to:]))
}

// replacements maps each operator to its replacements.
var replacements = map[token.Token][]string{
	token.EQL: {"!="}, token.NEQ: {"=="},
	token.LSS: {"<=", ">="}, token.LEQ: {"<", ">"}, token.GTR: {">=", "<="}, token.GEQ: {">", "<"},
	token.LAND: {"||"}, token.LOR: {"&&"},
	token.ADD: {"-"}, token.SUB: {"+"}, token.MUL: {"/"}, token.QUO: {"*"}, token.REM: {"*"},
}

// mutantsOf returns all possible changes of a package, in the order of its files.
func mutantsOf(t target) (all []mutant, err error) {
	paths, err := filepath.Glob(filepath.Join(t.dir, "*.go"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 { // else a misspelt package would count as one without survivors
		return nil, fmt.Errorf("%s: no Go files", t.dir)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, text, 0)
		if err != nil {
			return nil, err
		}
		add := func(from, to token.Pos, with string) {
			at := files.Position(from)
			all = append(all, mutant{target: t, path: path, text: text, from: at.Offset, to: files.Position(to).Offset, with: with, line: at.Line})
		}
		source := func(n ast.Node) string {
			return string(text[files.Position(n.Pos()).Offset:files.Position(n.End()).Offset])
		}
		ast.Inspect(file, func(n ast.Node) bool { mutate(n, source, add); return true })
	}
	return all, nil
}

// mutate calls add for each possible change of one node, but not for nodes inside it. source returns the text of a
// node.
func mutate(n ast.Node, source func(ast.Node) string, add func(from, to token.Pos, with string)) {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		for _, with := range replacements[n.Op] {
			add(n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), with)
		}
	case *ast.UnaryExpr:
		if n.Op == token.NOT {
			add(n.OpPos, n.OpPos+1, "")
		}
	case *ast.Ident:
		if n.Name == "true" || n.Name == "false" {
			add(n.Pos(), n.End(), map[string]string{"true": "false", "false": "true"}[n.Name])
		}
	case *ast.IfStmt:
		add(n.Cond.Pos(), n.Cond.End(), "false && ("+source(n.Cond)+")")
		add(n.Cond.Pos(), n.Cond.End(), "true || ("+source(n.Cond)+")")
	case *ast.CaseClause:
		if len(n.List) > 1 { // without the last alternative
			add(n.List[len(n.List)-2].End(), n.List[len(n.List)-1].End(), "")
		}
	case *ast.IncDecStmt:
		add(n.TokPos, n.TokPos+2, map[token.Token]string{token.INC: "--", token.DEC: "++"}[n.Tok])
	case *ast.BranchStmt:
		if n.Label == nil && n.Tok == token.CONTINUE {
			add(n.Pos(), n.End(), "break")
		}
	case *ast.ExprStmt:
		if !isLocking(source(n)) {
			add(n.Pos(), n.End(), "")
		}
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			add(n.Pos(), n.End(), "")
		}
	}
}

// isLocking reports whether a statement locks or unlocks a mutex. Such changes are not tried: only the race detector
// notices them, and with it the tests would take minutes for each change.
func isLocking(text string) bool {
	return strings.HasSuffix(text, "ock()")
}

package main

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The README names the tests that show what it claims: each of them is there.
func TestReadmeNamesTests(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(top, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, s := range sources(t) {
		for _, d := range s.syntax.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && strings.HasSuffix(s.path, "_test.go") {
				there[f.Name.Name] = true
			}
		}
	}
	scripts, err := filepath.Glob(filepath.Join("testdata", "*", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		there[filepath.Base(script)] = true
	}
	names := regexp.MustCompile("`((?:Test|Fuzz)[A-Z][A-Za-z0-9]*|[a-z_]+\\.txtar)`").FindAllStringSubmatch(string(readme), -1)
	if len(names) < 20 {
		t.Errorf("got %d names of tests: this looks for the wrong ones", len(names))
	}
	for _, name := range names {
		if !there[name[1]] {
			t.Errorf("the README names %s, which is no test here", name[1])
		}
	}
}

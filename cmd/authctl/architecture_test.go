package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The rules of the house, each with its reason. Words live in cmd, mechanism lives in
// internal, and the mechanisms do not know each other.

const (
	module = "github.com/authctl/authctl/"
	top    = "../.."
)

// leaves know nothing of us, so that every package may stand on them.
var leaves = []string{"internal/atomicfile"}

// forTests are what only tests and the demo are made of; authctl links none of them.
var forTests = []string{"internal/callgrind", "internal/e2e", "internal/idp", "internal/keychaintest", "internal/leaktest", "internal/need", "internal/robot"}

// source is one of our files.
type source struct {
	path    string // from the top of the repository
	dir     string
	test    bool // a test, or a part of a package that is for tests
	syntax  *ast.File
	fset    *token.FileSet
	imports map[string]string // path by local name
}

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	for _, root := range []string{"cmd", "internal"} {
		err := filepath.WalkDir(filepath.Join(top, root), func(file string, d fs.DirEntry, err error) error {
			if d != nil && d.Name() == "node_modules" {
				return fs.SkipDir
			}
			if err != nil || filepath.Ext(file) != ".go" {
				return err
			}
			all = append(all, read(t, file))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(all) < 50 {
		t.Fatalf("got %d files: this looks at the wrong place", len(all))
	}
	return all
}

func read(t *testing.T, file string) source {
	t.Helper()
	fset := token.NewFileSet()
	syntax, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	name, err := filepath.Rel(top, file)
	if err != nil {
		t.Fatal(err)
	}
	name = filepath.ToSlash(name)
	s := source{path: name, dir: path.Dir(name), syntax: syntax, fset: fset, imports: map[string]string{}}
	s.test = strings.HasSuffix(name, "_test.go") || s.within(forTests)
	for _, i := range syntax.Imports {
		imported, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		local := path.Base(imported)
		if i.Name != nil {
			local = i.Name.Name
		}
		s.imports[local] = imported
	}
	return s
}

// within reports whether the file is in one of the directories, or below.
func (s source) within(dirs []string) bool {
	return slices.ContainsFunc(dirs, func(dir string) bool { return s.dir == dir || strings.HasPrefix(s.dir, dir+"/") })
}

// at is where a node is, for a message.
func (s source) at(n ast.Node) string {
	return s.path + ":" + strconv.Itoa(s.fset.Position(n.Pos()).Line)
}

// The star: a mechanism that knew another could not be read, tested or replaced by
// itself. What passes between them goes through cmd/authctl.
func TestMechanismsDoNotKnowEachOther(t *testing.T) {
	for _, s := range sources(t) {
		for _, imported := range s.imports {
			other, ours := strings.CutPrefix(imported, module)
			if !ours || !strings.HasPrefix(s.dir, "internal/") || slices.Contains(leaves, other) || s.test && slices.Contains(forTests, other) || other == s.dir {
				continue
			}
			t.Errorf("%s imports %s", s.path, other)
		}
	}
}

// Words live in cmd: a mechanism that prints, prompts, reads the environment or ends the
// process can't be used by anybody else, and says things that explain doesn't know.
func TestMechanismsAreSilent(t *testing.T) {
	words := []string{"github.com/spf13/cobra", "github.com/spf13/pflag", "github.com/pkg/browser", "golang.org/x/term", "log/slog", "os/signal"}
	calls := map[string][]string{
		"os":  {"Args", "Environ", "Exit", "ExpandEnv", "Getenv", "LookupEnv", "Stdin", "Stdout", "Stderr"},
		"fmt": {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
		"log": {"Fatal", "Fatalf", "Fatalln", "Panic", "Panicf", "Panicln", "Print", "Printf", "Println"},
	}
	for _, s := range sources(t) {
		if s.test || !strings.HasPrefix(s.dir, "internal/") {
			continue
		}
		for _, imported := range s.imports {
			if slices.Contains(words, imported) {
				t.Errorf("%s imports %s", s.path, imported)
			}
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			selector, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := selector.X.(*ast.Ident); ok && slices.Contains(calls[s.imports[x.Name]], selector.Sel.Name) {
				t.Errorf("%s: %s.%s", s.at(n), x.Name, selector.Sel.Name)
			}
			return true
		})
	}
}

// A cached token costs a few milliseconds, of which what runs before main is a part.
func TestNothingRunsBeforeMain(t *testing.T) {
	slow := []string{"regexp", "html/template", "text/template"}
	for _, s := range sources(t) {
		for _, d := range s.syntax.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.Name == "init" && d.Recv == nil {
					t.Errorf("%s: init()", s.at(d))
				}
			case *ast.GenDecl:
				if d.Tok == token.VAR && !s.test {
					s.noSlowCall(t, d, slow)
				}
			}
		}
	}
}

// noSlowCall finds a pattern or a template that is compiled when the program starts;
// inside a function it is only when it is needed.
func (s source) noSlowCall(t *testing.T, d *ast.GenDecl, slow []string) {
	ast.Inspect(d, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && slices.Contains(slow, s.imports[x.Name]) && n.Sel.IsExported() && strings.HasPrefix(n.Sel.Name, "Must") {
				t.Errorf("%s: %s.%s at the start of the program", s.at(n), x.Name, n.Sel.Name)
			}
		}
		return true
	})
}

// text/template comes with cobra's help. We have none of our own.
func TestNoTemplates(t *testing.T) {
	for _, s := range sources(t) {
		for _, imported := range s.imports {
			if !s.test && (imported == "text/template" || imported == "html/template") {
				t.Errorf("%s imports %s", s.path, imported)
			}
		}
	}
}

// A repository's first page is its table of contents.
func TestLayout(t *testing.T) {
	for dir, want := range map[string][]string{
		".":        {".ci", ".github", ".gitignore", "LICENSE", "Makefile", "README.md", "cmd", "completions", "go.mod", "go.sum", "internal"},
		"cmd":      {"authctl", "demo-idp"},
		"internal": append([]string{"callback", "config", "oauth", "session", "store"}, bases(append(leaves, forTests...))...),
	} {
		entries, err := os.ReadDir(filepath.Join(top, dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !slices.Contains(want, e.Name()) && !slices.Contains(ignored(t), e.Name()) {
				t.Errorf("%s: %s has no place there", dir, e.Name())
			}
		}
	}
}

func bases(dirs []string) []string {
	var names []string
	for _, dir := range dirs {
		names = append(names, path.Base(dir))
	}
	return names
}

// ignored are the names that git doesn't look at, and its own.
func ignored(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(top, ".gitignore"))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{".git"}
	for _, line := range strings.Fields(string(text)) {
		names = append(names, strings.Trim(line, "/"))
	}
	return names
}

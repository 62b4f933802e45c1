package main

import (
	"cmp"
	"debug/buildinfo"
	"debug/elf"
	"debug/gosym"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// weigh prints what a program's bytes are: the code of each module and of the parts of the
// standard library, and what goes with all code.
func weigh(program string) error {
	file, err := elf.Open(program)
	if err != nil {
		return err
	}
	defer file.Close()
	build, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	functions, err := functionsOf(file)
	if err != nil {
		return err
	}
	bytes := map[string]uint64{}
	for _, f := range functions {
		bytes["code: "+origin(f.PackageName(), build)] += f.End - f.Entry
	}
	for name, part := range map[string]string{
		".gopclntab": "tables of the functions, for the garbage collector and for stacks", ".rodata": "types, texts and constants",
		".data": "variables", ".noptrdata": "variables",
	} {
		if section := file.Section(name); section != nil {
			bytes[part] += section.FileSize
		}
	}
	var rows [][]string
	for _, part := range slices.SortedFunc(maps.Keys(bytes), func(a, b string) int { return cmp.Compare(bytes[b], bytes[a]) }) {
		rows = append(rows, []string{part, fmt.Sprint((bytes[part] + 512) >> 10)})
	}
	printTable([]string{"what is in the program", "KiB"}, rows)
	return nil
}

// functionsOf also reads a program without symbols: the functions' tables stay in it.
func functionsOf(file *elf.File) ([]gosym.Func, error) {
	text, lines := file.Section(".text"), file.Section(".gopclntab")
	if text == nil || lines == nil {
		return nil, fmt.Errorf("this is not a Go program")
	}
	data, err := lines.Data()
	if err != nil {
		return nil, err
	}
	table, err := gosym.NewTable(nil, gosym.NewLineTable(data, text.Addr))
	if err != nil {
		return nil, err
	}
	return table.Funcs, nil
}

// origin is the module that a package comes from, or its part of the standard library.
func origin(pkg string, build *buildinfo.BuildInfo) string {
	in := func(path string) bool { return pkg == path || strings.HasPrefix(pkg, path+"/") }
	if pkg == "main" || in(build.Main.Path) {
		return "authctl itself"
	}
	for _, module := range build.Deps {
		if in(module.Path) {
			return module.Path
		}
	}
	switch first, _, _ := strings.Cut(strings.TrimPrefix(pkg, "vendor/golang.org/x/"), "/"); first {
	case "crypto", "net", "runtime":
		return "the standard library's " + first
	}
	return "the rest of the standard library"
}

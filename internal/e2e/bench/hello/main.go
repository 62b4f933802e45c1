// Command hello is the least that a Go program costs: bench compares with it.
package main

import "os"

func main() { os.Stdout.WriteString("hello\n") }

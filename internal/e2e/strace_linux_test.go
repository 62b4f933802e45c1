package e2e

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// watchedCalls are those by which bytes leave a process: the arguments and environment
// of a program, what is written, what the kernel is to keep, and the names of files. Of the last row strace doesn't
// show the bytes.
const watchedCalls = "execve,execveat," +
	"write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg,sendmmsg," +
	"open,openat,openat2,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,setxattr,fsetxattr,memfd_create,add_key," +
	blindCalls

const blindCalls = "sendfile,splice,tee,vmsplice,copy_file_range,io_uring_setup,process_vm_writev"

// watched is a program under strace, and what is seen of it and of all that it starts.
type watched struct {
	*process
	record string // strace's
}

// watch starts authctl, or another program of this name, so.
func (u *user) watch(env []string, stdin io.Reader, program string, args ...string) *watched {
	u.t.Helper()
	needStrace(u.t)
	record := filepath.Join(u.t.TempDir(), "calls")
	cmd := u.program("strace", append([]string{"-f", "-qq", "-yy", "-Y", "-v", "-x", "-s", "10000000", "-e", "signal=none",
		"-e", "trace=" + watchedCalls, "-o", record, program}, args...)...)
	cmd.Env = append(cmd.Env, env...)
	return &watched{u.begin(cmd, stdin), record}
}

// seen is all text that left the program, by the place that it went to.
func (w *watched) seen() map[string]string {
	w.t.Helper()
	raw, err := os.ReadFile(w.record)
	if err != nil {
		w.t.Fatal(err)
	}
	places := map[string]string{"stdout": w.stdout.String(), "stderr": w.stderr.String()}
	for line := range strings.Lines(string(raw)) {
		if c := parseCall(strings.TrimSpace(line)); c != nil {
			w.sort(places, c)
		}
	}
	if places["arguments of authctl"] == "" {
		w.t.Fatal("strace saw nothing")
	}
	return places
}

// sort puts what a call shows where it went. What authctl's children say by themselves
// is theirs.
func (w *watched) sort(places map[string]string, c *call) {
	switch {
	case c.name == "execve" || c.name == "execveat":
		who := role(c.texts[0])
		places["arguments of "+who] += strings.Join(c.lists[0], "\n") + "\n"
		for _, variable := range c.lists[1] {
			name, _, _ := strings.Cut(variable, "=")
			places["environment of "+who+", "+name] += variable + "\n"
		}
	case role(c.program) != "authctl":
	case strings.Contains(","+blindCalls+",", ","+c.name+","):
		w.t.Errorf("authctl calls %s, whose bytes nobody sees", c.name)
	case c.name == "add_key":
		places["kernel"] += strings.Join(c.texts, "\n") + "\n"
	case c.target == "":
		places["names of files"] += strings.Join(c.texts, "\n") + "\n"
	default:
		places[w.destination(c)] += strings.Join(c.texts, "")
	}
}

// role is what a program is to authctl.
func role(program string) string {
	switch name := filepath.Base(program); name {
	case "authctl", "curl", "child":
		return name
	case filepath.Base(demoIDP), filepath.Base(os.Args[0]):
		return "browser"
	default:
		return "unknown program " + name
	}
}

// destination is what a descriptor leads to.
func (w *watched) destination(c *call) string {
	kind, rest, _ := strings.Cut(c.target, ":")
	switch {
	case c.fd == 1:
		return "stdout"
	case c.fd == 2:
		return "stderr"
	case strings.HasPrefix(kind, "TCP"):
		return "connection " + rest
	case strings.HasPrefix(kind, "UNIX"):
		return "bus"
	case strings.HasPrefix(c.target, "pipe"):
		return "pipe"
	case strings.HasPrefix(c.target, "/"):
		return "file " + c.target
	}
	return c.target
}

// call is one line of strace's record.
type call struct {
	program string // that made it
	name    string
	fd      int
	target  string // of the descriptor; empty: the call has none
	texts   []string
	lists   [][]string // of texts in brackets
}

var (
	callPattern = regexp.MustCompile(`^\d+<([^>]*)> (\w+)\((?:(\d+)<(.*?)>, (?:"|\[|\{))?`)
	textPattern = regexp.MustCompile(`"(?:[^"\\]|\\.)*"(\.\.\.)?|[\[\]]`)
)

// parseCall is nil for what is no call: the rest of one that was interrupted, an exit.
func parseCall(line string) *call {
	m := callPattern.FindStringSubmatch(line)
	if m == nil {
		return nil
	}
	c := &call{program: m[1], name: m[2], target: m[4]}
	c.fd, _ = strconv.Atoi(m[3])
	rest := line[strings.Index(line, "("):]
	if m[4] != "" {
		rest = rest[strings.Index(rest, ">, ")+3:]
	}
	depth := 0
	for _, token := range textPattern.FindAllStringSubmatch(rest, -1) {
		switch token[0] {
		case "[":
			depth++
			c.lists = append(c.lists, nil)
		case "]":
			depth--
		default:
			if token[1] != "" {
				panic(fmt.Sprintf("strace cut a text of %s short", c.name))
			}
			text, err := strconv.Unquote(token[0])
			if err != nil {
				panic(fmt.Sprintf("strace writes a text of %s as nobody reads it: %v", c.name, err))
			}
			c.texts = append(c.texts, text)
			if depth > 0 {
				c.lists[len(c.lists)-1] = append(c.lists[len(c.lists)-1], text)
			}
		}
	}
	return c
}

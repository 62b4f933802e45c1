package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/authctl/authctl/internal/robot"
)

// browserProgram is `browser [-press NAME] [-stay] URL`: it signs in, and, as browsers
// do, prints to stdout what nobody asked for. PAGE names a file for the page that it
// ended on. With -signal it sends INT or TERM to authctl and opens nothing.
func browserProgram() {
	press := flag.String("press", "", "button to press")
	stay := flag.Bool("stay", false, "live until authctl is gone")
	signal := flag.String("signal", "", "signal to send to authctl instead")
	flag.Parse()
	fmt.Println("browser: noise on stdout")
	if *signal != "" {
		exitOn(signalParent(*signal))
		return
	}
	page, err := robot.Visit(context.Background(), flag.Arg(0), robot.Options{Press: *press, Insecure: true, Timeout: 20 * time.Second})
	exitOn(err)
	if file := os.Getenv("PAGE"); file != "" {
		text := fmt.Sprintf("%d %s\n%s\n%s\n", page.Status, page.URL, page.Title, page.Text)
		exitOn(os.WriteFile(file+".new", []byte(text), 0o600))
		exitOn(os.Rename(file+".new", file))
	}
	if *stay {
		outlive(os.Getppid())
	}
}

// outlive returns once the parent has ended. One that waits for its browser instead
// finds a file that says so.
func outlive(parent int) {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if os.Getppid() != parent {
			return
		}
	}
	exitOn(os.WriteFile(filepath.Join(os.Getenv("WORK"), "waited-for"), nil, 0o600))
}

// pasterProgram is `paster LINES CMD ARG…`: a person who runs a login without a
// listener, signs in elsewhere, and pastes comma-separated LINES: url is the address
// that the browser ended on; code, other-state and junk are what people paste by mistake.
func pasterProgram() {
	cmd := exec.Command(os.Args[2], os.Args[3:]...)
	cmd.Stdout = os.Stdout
	stdin, err := cmd.StdinPipe()
	exitOn(err)
	stderr, err := cmd.StderrPipe()
	exitOn(err)
	exitOn(cmd.Start())
	lines := bufio.NewReader(io.TeeReader(stderr, os.Stderr))
	if address := readAddress(lines); address != "" {
		exitOn(paste(stdin, address))
	}
	stdin.Close()
	io.Copy(io.Discard, lines)
	if err := cmd.Wait(); err != nil {
		os.Exit(cmd.ProcessState.ExitCode())
	}
}

// visitorProgram is `visitor CMD ARG…`: a person who opens the address that a login
// prints, in a browser that comes back.
func visitorProgram() {
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stdout = os.Stdout
	stderr, err := cmd.StderrPipe()
	exitOn(err)
	exitOn(cmd.Start())
	lines := bufio.NewReader(io.TeeReader(stderr, os.Stderr))
	if address := readAddress(lines); address != "" {
		exitOn(visited(address, robot.Options{}))
	}
	io.Copy(io.Discard, lines)
	if err := cmd.Wait(); err != nil {
		os.Exit(cmd.ProcessState.ExitCode())
	}
}

// readAddress reads up to a line that is an address; empty if none comes.
func readAddress(lines *bufio.Reader) string {
	for {
		line, err := lines.ReadString('\n')
		if strings.HasPrefix(line, "http") {
			return strings.TrimSpace(line)
		}
		if err != nil {
			return ""
		}
	}
}

func paste(w io.Writer, address string) error {
	ended, err := redirectOf(address)
	if err != nil {
		return err
	}
	other := *ended
	q := ended.Query()
	q.Set("state", "another-sign-in")
	other.RawQuery = q.Encode()
	text := map[string]string{
		"url": ended.String(), "code": ended.Query().Get("code"), "other-state": other.String(), "junk": "https://example.com/?page=1",
	}
	for _, name := range strings.Split(os.Args[1], ",") {
		fmt.Fprintln(w, text[name]) // authctl may have ended: its exit code says more
	}
	return nil
}

// redirectOf signs in at address and returns where the browser would go then.
func redirectOf(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	target := u.Query().Get("redirect_uri")
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), target) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	res, err := client.Get(address)
	if err != nil {
		return nil, err
	}
	page, err := io.ReadAll(res.Body)
	res.Body.Close()
	if ended, err := res.Location(); err == nil { // refused without a page
		return ended, nil
	}
	if err != nil {
		return nil, err
	}
	form := url.Values{}
	for _, field := range regexp.MustCompile(`name="(request|login|password)" value="([^"]*)"`).FindAllStringSubmatch(string(page), -1) {
		form.Set(field[1], field[2])
	}
	action, err := u.Parse("signin")
	if err != nil {
		return nil, err
	}
	if res, err = client.PostForm(action.String(), form); err != nil {
		return nil, err
	}
	res.Body.Close()
	return res.Location()
}

// childProgram is `child [-code N] ARG…`: it shows what a child of exec sees (its pid,
// arguments and environment) and ends with the code that is asked for.
func childProgram() {
	code := flag.Int("code", 0, "exit code")
	flag.Parse()
	fmt.Println("pid", os.Getpid())
	fmt.Println("args", flag.Args())
	for _, e := range os.Environ() {
		fmt.Println("env", e)
	}
	os.Exit(*code)
}

// atonceProgram is `atonce N CMD ARG…`: N processes at once that must all end
// alike, with the same code and the same stdout, which it passes on.
func atonceProgram() {
	n, err := strconv.Atoi(os.Args[1])
	exitOn(err)
	type end struct {
		stdout, stderr string
		code           int
	}
	ends := make([]end, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			cmd := exec.Command(os.Args[2], os.Args[3:]...)
			var stdout, stderr strings.Builder
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			cmd.Run() // its code tells
			ends[i] = end{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
		})
	}
	all.Wait()
	fmt.Print(ends[0].stdout)
	fmt.Fprint(os.Stderr, ends[0].stderr)
	for _, e := range ends {
		if e.code != ends[0].code || e.stdout != ends[0].stdout {
			exitOn(fmt.Errorf("they differ: exit code %d with %d bytes (%s), %d with %d bytes", e.code, len(e.stdout), e.stderr, ends[0].code, len(ends[0].stdout)))
		}
	}
	os.Exit(ends[0].code)
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, filepath.Base(os.Args[0])+":", err)
		os.Exit(99)
	}
}

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/authctl/authctl/internal/idp"
)

// growing is one command at growing sizes.
type growing struct {
	name  string // as Markdown
	steps []*step
}

type step struct {
	command
	took   []float64 // milliseconds
	ratios []float64 // to the first step's run of the same round
}

// growth prints how the cost of a cached token grows with the config file and with the
// secret.
func (s *stage) growth(pairs int, interrupted func() error) error {
	profiles, heads := s.profiles(1, 10, 100, 1000)
	secrets, sizes := s.secrets(1, 4, 16, 64)
	if err := grow(append(secrets, profiles), pairs, interrupted); err != nil {
		return err
	}
	printTable(heads, [][]string{profiles.row()})
	printTable(sizes, [][]string{secrets[0].row(), secrets[1].row()})
	return nil
}

func grow(all []growing, pairs int, interrupted func() error) error {
	for round := range warmUp + pairs {
		for _, g := range all {
			if err := g.round(round); err != nil {
				return err
			}
			if err := interrupted(); err != nil {
				return err
			}
		}
	}
	return nil
}

// round runs each step once, another one first each time.
func (g growing) round(round int) error {
	took := make([]float64, len(g.steps))
	for i := range g.steps {
		at := (round + i) % len(g.steps)
		ms, err := g.steps[at].time()
		if err != nil {
			return err
		}
		took[at] = ms
	}
	if round < warmUp {
		return nil
	}
	for i, s := range g.steps {
		s.took, s.ratios = append(s.took, took[i]), append(s.ratios, took[i]/took[0])
	}
	return nil
}

// row has the smallest's time, and the others' ratios to it.
func (g growing) row() []string {
	row := []string{g.name, fmt.Sprintf("%.1f ms", median(g.steps[0].took))}
	for _, s := range g.steps[1:] {
		row = append(row, quartilesOf(s.ratios).String())
	}
	return row
}

// profiles are config files of so many profiles each, the one that is used among them.
func (s *stage) profiles(counts ...int) (g growing, heads []string) {
	g.name, heads = "`authctl token`, `--store file`", []string{"profiles in the config file"}
	for _, n := range counts {
		config := filepath.Join(s.home, fmt.Sprintf("%d-profiles.toml", n))
		s.signIn(s.provider, append(s.fileStore(), "--config", config)...)
		text, err := os.ReadFile(config)
		if err != nil {
			s.Fatal(err)
		}
		for i := range n - 1 {
			text = fmt.Appendf(text, "\n[profile.other-%d]\nissuer = \"https://%d.example.com\"\nclient_id = \"%d\"\nscopes = [\"openid\", \"email\"]\n", i, i, i)
		}
		if err := os.WriteFile(config, text, 0o600); err != nil {
			s.Fatal(err)
		}
		g.steps = append(g.steps, &step{command: s.command(s.authctl, "token", "--config", config)})
		heads = append(heads, thousands(n))
	}
	return g, heads
}

func thousands(n int) string {
	if n >= 1000 {
		return fmt.Sprintf("%d,%03d", n/1000, n%1000)
	}
	return strconv.Itoa(n)
}

// secrets are sessions of so many KiB each, by their access token, in each of the stores.
func (s *stage) secrets(kibibytes ...int) (stores []growing, heads []string) {
	heads = []string{"KiB of the stored session"}
	keychain, file := growing{name: "`authctl token`, keychain"}, growing{name: "`authctl token`, `--store file`"}
	for _, n := range kibibytes {
		name := fmt.Sprintf("of-%d-kib", n)
		s.signInLarge(name, n<<10)
		keychain.steps = append(keychain.steps, &step{command: s.command(s.authctl, "token", "--profile", name)})
		s.signInLarge(name+"-file", n<<10, s.fileStore()...)
		file.steps = append(file.steps, &step{command: s.command(s.authctl, "token", "--profile", name+"-file")})
		heads = append(heads, strconv.Itoa(n))
	}
	return []growing{keychain, file}, heads
}

// signInLarge makes a session of exactly so many bytes. A first one, in the keychain,
// tells how many it has besides its access token.
func (s *stage) signInLarge(profile string, size int, flags ...string) {
	p := s.start(idp.Options{NoIDToken: true, NoDiscovery: true, AccessToken: "x"})
	flags = append(flags, "--profile", profile)
	s.signIn(p, "--profile", "measure")
	rest := len(s.output(s.lookup("measure"))) - 1
	p.Set(func(o *idp.Options) { o.AccessToken = strings.Repeat("x", size-rest) })
	s.signIn(p, flags...)
}

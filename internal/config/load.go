package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"

	"github.com/goccy/go-yaml/ast"
)

// Option tells Load what the file cannot say about how it is used.
type Option func(*options)

type options struct {
	webConfig bool
}

// WithWebConfig says that TLS and passwords are set up by the file of --web.config.file; an empty path changes nothing.
func WithWebConfig(path string) Option {
	return func(o *options) { o.webConfig = path != "" }
}

// LoadFile is Load for the file at path. A file that cannot be read is a problem like any other.
func LoadFile(path string, opts ...Option) (*Config, []Problem) {
	data, f := readFile(path)
	if f != nil {
		r := newReporter(path, nil)
		r.fault(place{}, "", *f)
		return nil, r.problems
	}
	return Load(path, data, opts...)
}

// Load reads a configuration file. It returns all problems of the file, and of the rules file that it names, in their order;
// the configuration is nil when one of them is more than a warning. The name stands in the problems, and paths in the file
// are relative to its folder.
func Load(name string, data []byte, opts ...Option) (*Config, []Problem) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	c := new(Config)
	d := decodeFile(name, data, c)
	var ruleProblems []Problem
	if d.decoded && !d.full() {
		folder := filepath.Dir(name)
		c.Ledger.Path = within(folder, c.Ledger.Path)
		c.Classification.RulesFile = within(folder, c.Classification.RulesFile)
		for i := range c.Collectors.Postmaster {
			account := &c.Collectors.Postmaster[i]
			account.CredentialsFile = within(folder, account.CredentialsFile)
		}
		for i := range c.Alerts.Notifiers {
			c.Alerts.Notifiers[i].Value.within(folder)
		}
		for i := range c.Reports {
			c.Reports[i].within(folder)
		}
		if h := c.Alerts.Heartbeat; h != nil {
			h.URLFile = within(folder, h.URLFile)
		}
		ruleProblems = loadRules(c, d)
		c.check(d, o)
	}
	problems := append(d.sorted(), ruleProblems...)
	if Failed(problems) {
		return nil, problems
	}
	c.complete()
	return c, problems
}

// decodeFile decodes a file into target, a pointer to a section.
func decodeFile(name string, data []byte, target any) *decoder {
	d := &decoder{reporter: newReporter(name, data), root: reflect.TypeOf(target).Elem(), places: make(map[string]place)}
	root := parse(data, d.reporter)
	if root == nil {
		return d
	}
	if _, ok := pairs(unwrapped(root)); ok {
		d.decoded = true
	}
	d.value(root, reflect.ValueOf(target).Elem(), "", field{})
	return d
}

// unwrapped is a node without anchors and tags.
func unwrapped(n ast.Node) ast.Node {
	for {
		switch wrapper := n.(type) {
		case *ast.AnchorNode:
			n = wrapper.Value
		case *ast.TagNode:
			n = wrapper.Value
		default:
			return n
		}
	}
}

// within makes a relative path start at folder.
func within[P Path | SecretFile | Folder](folder string, p P) P {
	if p == "" || filepath.IsAbs(string(p)) {
		return p
	}
	return P(filepath.Join(folder, string(p)))
}

// readFile reads a regular file that is no larger than a configuration may be, and one byte more of one that is.
func readFile(path string) ([]byte, *fault) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &fault{"there is no such file", "give the path of the file, or make it"}
	case err != nil:
		return nil, cannotRead(err)
	case info.IsDir():
		return nil, &fault{"this is a folder", "give the path of a file in it"}
	case !info.Mode().IsRegular():
		return nil, &fault{"this is not an ordinary file", "give the path of a YAML file"}
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, cannotRead(err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFileSize+1))
	if err != nil {
		return nil, cannotRead(err)
	}
	return data, nil
}

// cannotRead says why a file cannot be read, without repeating its path.
func cannotRead(err error) *fault {
	if detail := new(fs.PathError); errors.As(err, &detail) {
		err = detail.Err
	}
	return &fault{fmt.Sprintf("the file cannot be read: %v", err), ""}
}

// complete fills what follows from other values.
func (c *Config) complete() {
	for i := range c.Reports {
		c.Reports[i].complete()
	}
	for i := range c.Collectors.SES {
		q := &c.Collectors.SES[i]
		q.Name = q.name()
		if q.Region == "" {
			q.Region = q.QueueURL.Region()
		}
	}
	for i := range c.Collectors.Postmaster {
		account := &c.Collectors.Postmaster[i]
		account.Name = account.name()
	}
	for i := range c.Collectors.ReceiptRules {
		r := &c.Collectors.ReceiptRules[i]
		r.Name = r.name()
	}
	for i := range c.Collectors.Account {
		account := &c.Collectors.Account[i]
		account.Name = account.name()
	}
}

package pack

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Debian keeps the licence of a package, and the licences that many share, here.
// https://www.debian.org/doc/debian-policy/ch-docs.html#copyright-information
const (
	packageLists   = "/var/lib/dpkg/info/*.list"
	packageLicence = "/usr/share/doc/%s/copyright"
)

var sharedLicence = regexp.MustCompile(`/usr/share/common-licenses/[A-Za-z0-9][A-Za-z0-9.+-]*[A-Za-z0-9]`)

// licences returns the texts that must go with the libraries, where the machine
// has them: who hands on a library hands on its licence.
func licences(libraries []library) ([]file, error) {
	owners, err := packagesOf(libraries)
	if err != nil {
		return nil, fmt.Errorf("find licences: %w", err)
	}
	texts := map[string][]byte{}
	for owner := range owners {
		path := fmt.Sprintf(packageLicence, owner)
		text, err := os.ReadFile(path)
		if err != nil {
			continue // a package of a system that strips its documents
		}
		texts[path] = text
		for _, shared := range sharedLicence.FindAllString(string(text), -1) {
			if text, err := os.ReadFile(shared); err == nil {
				texts[shared] = text
			}
		}
	}
	var out []file
	for path, text := range texts {
		out = append(out, file{name: path, mode: 0o644, content: text})
	}
	return out, nil
}

// packagesOf returns the packages that the libraries were installed by; none on
// a system without dpkg.
func packagesOf(libraries []library) (map[string]bool, error) {
	wanted := map[string]bool{}
	for _, l := range libraries {
		wanted[l.path], wanted["/usr"+l.path] = true, true
		if real, err := filepath.EvalSymlinks(l.path); err == nil {
			wanted[real] = true
		}
	}
	lists, err := filepath.Glob(packageLists)
	if err != nil {
		return nil, err
	}
	owners := map[string]bool{}
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			return nil, err
		}
		for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
			if wanted[lines.Text()] {
				name, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(list), ".list"), ":")
				owners[name] = true
			}
		}
	}
	return owners, nil
}

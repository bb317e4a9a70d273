package ssm

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// parameter has all versions of a parameter that are kept, the newest last.
type parameter struct {
	Name, Account, Region string
	Tags                  map[string]string `json:",omitempty"`
	Versions              []version
}

type version struct {
	Number         int
	Type           string
	Value          string `json:",omitempty"`
	Sealed         []byte `json:",omitempty"` // the value of a SecureString
	KeyID          string `json:",omitempty"`
	Description    string `json:",omitempty"`
	AllowedPattern string `json:",omitempty"`
	Tier, DataType string
	Modified       time.Time
	User           string
	Labels         []string `json:",omitempty"`
}

var parameters = state.NewCollection[parameter]("ssm/parameters") // account, region, name

const maxVersions = 100

func (p parameter) last() *version { return &p.Versions[len(p.Versions)-1] }

func arnOf(call *wire.Call, name string) string {
	return call.ARN("ssm", "parameter/"+strings.TrimPrefix(name, "/"))
}

func at(call *wire.Call, name string) string {
	return state.Key(call.Caller.Account, call.Caller.Region, name)
}

// selected returns the version that a selector names: "" the newest, else a
// number or a label.
func (p parameter) selected(selector string) (version, error) {
	if selector == "" {
		return *p.last(), nil
	}
	n, _ := strconv.Atoi(selector)
	for _, v := range p.Versions {
		if v.Number == n || contains(v.Labels, selector) {
			return v, nil
		}
	}
	return version{}, wire.Errorf("ParameterVersionNotFound", "Systems Manager could not find version %s of %s. Verify the version and try again.", selector, p.Name)
}

// splitName splits NAME:SELECTOR; an ARN is reduced to its name.
func splitName(text string) (name, selector string) {
	if parts := strings.SplitN(text, ":", 6); len(parts) == 6 && parts[0] == "arn" {
		text = strings.TrimPrefix(parts[5], "parameter")
		if base, _, _ := strings.Cut(text, ":"); strings.Count(base, "/") == 1 {
			text = text[1:]
		}
	}
	name, selector, _ = strings.Cut(text, ":")
	return name, selector
}

var namePattern = regexp.MustCompile(`^[a-zA-Z0-9_.\-/]+$`)

func checkName(name string) error {
	lower := strings.ToLower(strings.TrimPrefix(name, "/"))
	switch {
	case !namePattern.MatchString(name) || strings.Contains(name, "//") || strings.HasSuffix(name, "/"):
		return wire.ValidationException("Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_")
	case strings.HasPrefix(lower, "aws"):
		return wire.AccessDenied("No access to reserved parameter name: %s.", name)
	case strings.HasPrefix(lower, "ssm"):
		return wire.ValidationException("Parameter name: can't be prefixed with \"ssm\" (case-insensitive).")
	case strings.Contains(name, "/") && !strings.HasPrefix(name, "/"):
		return wire.ValidationException("Parameter name must be a fully qualified name.")
	case strings.Count(name, "/") > 15:
		return wire.Errorf("HierarchyLevelLimitExceededException", "Parameter name has a hierarchy level of more than 15: %s", name)
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}

func errNotFound(name string) error {
	return wire.Errorf("ParameterNotFound", "Parameter %s not found.", name)
}

// reveal returns the value of a version, decrypted when asked for.
func (s *Service) reveal(ctx context.Context, call *wire.Call, name string, v version, decrypt bool) (string, error) {
	if v.Type != "SecureString" {
		return v.Value, nil
	}
	if !decrypt {
		return encode(v.Sealed), nil
	}
	if s.cfg.Keys == nil {
		return "", fmt.Errorf("ssm: %s is encrypted and there is no KMS", name)
	}
	plain, err := s.cfg.Keys.Open(ctx, call.Caller, v.Sealed, contextOf(call, name))
	return string(plain), err
}

// contextOf is the encryption context of a parameter's value.
// https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
func contextOf(call *wire.Call, name string) map[string]string {
	return map[string]string{"PARAMETER_ARN": arnOf(call, name)}
}

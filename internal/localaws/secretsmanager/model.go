package secretsmanager

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

type secret struct {
	Name, Suffix, Account, Region string
	Description, KeyID            string
	Created, Changed              time.Time
	Accessed, Rotated             *time.Time `json:",omitempty"`
	Deleted                       *time.Time `json:",omitempty"` // when its deletion was asked for
	Purge                         *time.Time `json:",omitempty"` // when it is gone for good
	Policy                        string
	Tags                          map[string]string `json:",omitempty"`
	Versions                      map[string]*version
	Rotation                      rotation
}

type version struct {
	Created  time.Time
	Accessed *time.Time `json:",omitempty"`
	Stages   []string
	Sealed   []byte `json:",omitempty"` // empty while a rotation has not yet put a value
	Binary   bool   `json:",omitempty"`
	KeyID    string
}

type rotation struct {
	Enabled bool
	Lambda  string
	Rules   *rules `json:",omitempty"`
	Next    *time.Time
}

type rules struct {
	AutomaticallyAfterDays int    `json:",omitempty" max:"1000"`
	Duration               string `json:",omitempty"`
	ScheduleExpression     string `json:",omitempty"`
}

var secrets = state.NewCollection[secret]("secretsmanager/secrets") // account, region, name

const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
	pending  = "AWSPENDING"
)

func (s secret) arn() string {
	return "arn:aws:secretsmanager:" + s.Region + ":" + s.Account + ":secret:" + s.Name + "-" + s.Suffix
}

func (s secret) key() string { return state.Key(s.Account, s.Region, s.Name) }

// staged returns the id of the version that has a stage, "" when none has it.
func (s secret) staged(stage string) string {
	for id, v := range s.Versions {
		if slices.Contains(v.Stages, stage) {
			return id
		}
	}
	return ""
}

// move gives a stage to a version and takes it from the one that has it. The
// version that loses AWSCURRENT becomes AWSPREVIOUS.
func (s secret) move(stage, to string) {
	from := s.staged(stage)
	if from == to {
		return
	}
	s.drop(stage)
	if v := s.Versions[to]; v != nil {
		v.Stages = append(v.Stages, stage)
	}
	if stage == current && from != "" {
		s.drop(previous)
		s.Versions[from].Stages = append(s.Versions[from].Stages, previous)
	}
}

func (s secret) drop(stage string) {
	for _, v := range s.Versions {
		v.Stages = slices.DeleteFunc(v.Stages, func(have string) bool { return have == stage })
	}
}

// maxDeprecated is how many versions without a stage are kept.
const maxDeprecated = 100

func (s secret) prune() {
	var old []string
	for id, v := range s.Versions {
		if len(v.Stages) == 0 {
			old = append(old, id)
		}
	}
	slices.SortFunc(old, func(a, b string) int { return s.Versions[b].Created.Compare(s.Versions[a].Created) })
	for _, id := range old[min(len(old), maxDeprecated):] {
		delete(s.Versions, id)
	}
}

func errNotFound() error {
	return wire.Errorf("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

func errName() error {
	return wire.ValidationException("Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
}

func errRequest(format string, args ...any) error {
	return wire.Errorf("InvalidRequestException", format, args...)
}

func errParameter(format string, args ...any) error {
	return wire.Errorf("InvalidParameterException", format, args...)
}

var suffixPattern = regexp.MustCompile(`-[a-zA-Z0-9]{6}$`)

// lookup finds a secret by name, ARN, or ARN without the random suffix.
func (s *Service) lookup(tx state.Tx, call *wire.Call, id string) (secret, error) {
	account, region, name := call.Caller.Account, call.Caller.Region, id
	if parts := strings.SplitN(id, ":", 7); len(parts) == 7 && parts[5] == "secret" {
		region, account, name = parts[3], parts[4], parts[6]
	}
	if !namePattern.MatchString(name) {
		return secret{}, errName()
	}
	found, err := secrets.Get(tx, state.Key(account, region, name))
	if errors.Is(err, state.ErrNotFound) && name != id {
		found, err = secrets.Get(tx, state.Key(account, region, suffixPattern.ReplaceAllString(name, "")))
		if err == nil && name != found.Name+"-"+found.Suffix {
			return found, errNotFound()
		}
	}
	if errors.Is(err, state.ErrNotFound) || err == nil && found.Purge != nil && !s.cfg.Clock().Before(*found.Purge) {
		return found, errNotFound()
	}
	return found, err
}

// live refuses a secret that is marked for deletion.
func (s secret) live() error {
	if s.Deleted != nil {
		return errRequest("You can't perform this operation on the secret because it was marked for deletion.")
	}
	return nil
}

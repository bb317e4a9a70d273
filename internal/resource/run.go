package resource

import (
	"fmt"
	"regexp"
)

// RunID names one run of the pipeline. It doubles as the name of the Step
// Functions execution, whose limits it keeps.
type RunID string

// https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
// allows more; slashes and dots are left out because the id is part of a key.
var runIDPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$`)

// ParseRunID checks that s can name a run.
func ParseRunID(s string) (RunID, error) {
	if !runIDPattern.MatchString(s) {
		return "", fmt.Errorf("run id %q: want 1 to 80 letters, digits, hyphens or underscores, not starting with - or _", s)
	}
	return RunID(s), nil
}

// ManifestKey returns the key, in Results, of what the run records about itself.
func (r RunID) ManifestKey() string { return Runs.Key(string(r) + "/manifest.json") }

// ValidationKey returns the key, in Results, of the report of the run's data validation.
func (r RunID) ValidationKey() string { return Runs.Key(string(r) + "/validation.json") }

// ProfileKey returns the key, in Results, of the profile of the run's data, which
// later data is compared with.
func (r RunID) ProfileKey() string { return Runs.Key(string(r) + "/profile.json") }

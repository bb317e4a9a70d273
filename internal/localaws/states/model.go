package states

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"engage/internal/localaws/asl/interp"
	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

// machine is a state machine as it is kept.
type machine struct {
	Account, Region, Name, Status, Type string
	Revision                            string
	Published                           int `json:",omitempty"` // number of the version that was published last
	Created                             time.Time
	Tags                                []Tag
	revision                            // of the last update
}

// revision is what an update of a machine changes.
type revision struct {
	ID         string
	Definition string
	RoleARN    string
	Updated    time.Time
	Logging    json.RawMessage `json:",omitempty"`
	Tracing    json.RawMessage `json:",omitempty"`
	First      bool            `json:",omitempty"` // as the machine was created: AWS shows no id of it
}

// public is the revision's id as it is shown.
func (r revision) public() string {
	if r.First {
		return ""
	}
	return r.ID
}

func (m machine) key() string { return state.Key(m.Account, m.Region, m.Name) }

func (m machine) arn() string {
	return "arn:aws:states:" + m.Region + ":" + m.Account + ":stateMachine:" + m.Name
}

// execution is an execution as it is kept.
type execution struct {
	Account, Region, Machine, Name string
	Sequence                       uint64 // in the order of starts
	Revision                       string
	RoleARN                        string
	Status                         interp.Status
	Start                          time.Time
	Stop                           time.Time
	Input, Output                  string
	Error, Cause                   string
	TraceHeader                    string
	RunID                          string
	MapRun                         string    `json:",omitempty"` // of a child execution, whose Machine is "machine/label"
	Version, Alias                 string    `json:",omitempty"` // ARNs that the execution was started by
	Redrives                       int       `json:",omitempty"`
	Redriven                       time.Time `json:",omitzero"`
}

const runningStatus interp.Status = "RUNNING"

func (e execution) key() string { return state.Key(e.Account, e.Region, e.Machine, e.Name) }

func (e execution) arn() string {
	return "arn:aws:states:" + e.Region + ":" + e.Account + ":execution:" + e.Machine + ":" + e.Name
}

func (e execution) machineARN() string {
	return machine{Account: e.Account, Region: e.Region, Name: e.Machine}.arn()
}

// orderKey sorts a machine's executions, the last started first.
func (e execution) orderKey() string {
	return state.Key(e.Account, e.Region, e.Machine, state.Ordinal(^e.Sequence))
}

var (
	machines   = state.NewCollection[machine]("states/machines")
	revisions  = state.NewCollection[revision]("states/revisions")    // machine's key, revision
	executions = state.NewCollection[execution]("states/executions")  // machine's key, name
	order      = state.NewCollection[string]("states/order")          // execution's orderKey to its key
	inFlight   = state.NewCollection[string]("states/inflight")       // execution's key
	events     = state.NewCollection[json.RawMessage]("states/event") // execution's key, id
	mapRuns    = state.NewCollection[interp.MapRun]("states/mapruns") // execution's key, map run's ARN
	versions   = state.NewCollection[version]("states/versions")      // machine's key, number
	aliases    = state.NewCollection[alias]("states/aliases")         // machine's key, name
	activities = state.NewCollection[activity]("states/activities")   // account, region, name
)

// Tag is a tag of a state machine.
type Tag struct {
	Key   string `json:"key" required:"true" min:"1" max:"128"`
	Value string `json:"value" max:"256"`
}

// forbidden in names, beside white space and control characters.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
const forbidden = "<>{}[]?*\"#%\\^|~`$&,;:/"

func validName(name string) error {
	n := utf8.RuneCountInString(name)
	bad := strings.IndexFunc(name, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError || strings.ContainsRune(forbidden, r)
	})
	if n < 1 || n > 80 || bad >= 0 {
		return wire.Errorf("InvalidName", "Invalid Name: '%s'", name)
	}
	return nil
}

// splitARN returns the names after the resource type of one of this service's ARNs.
func splitARN(arn, kind string, names int) (account, region string, rest []string, err error) {
	parts := strings.Split(arn, ":")
	switch {
	case len(parts) < 6 || parts[0] != "arn":
		return "", "", nil, wire.Errorf("InvalidArn", "Invalid Arn: 'Invalid ARN prefix: %s'", arn)
	case len(parts) != 6+names || parts[2] != "states" || parts[5] != kind:
		return "", "", nil, wire.Errorf("InvalidArn", "Invalid Arn: 'Resource type not valid in this context: %s'", parts[5])
	}
	return parts[4], parts[3], parts[6:], nil
}

// machineKey reads the ARN of a machine itself. One of a version or an alias names no machine.
func machineKey(arn string) (string, error) {
	key, qualifier, err := qualifiedKey(arn)
	if err == nil && qualifier != "" {
		err = noMachine(arn)
	}
	return key, err
}

// qualifiedKey reads the ARN of a machine, or of a version or an alias of it, which the qualifier names.
func qualifiedKey(arn string) (key, qualifier string, err error) {
	names := 1
	if strings.Count(arn, ":") == 7 {
		names = 2
	}
	account, region, rest, err := splitARN(arn, "stateMachine", names)
	if err != nil {
		return "", "", err
	}
	if names == 2 {
		qualifier = rest[1]
	}
	return state.Key(account, region, rest[0]), qualifier, nil
}

func executionKey(arn string) (string, error) {
	account, region, rest, err := splitARN(arn, "execution", 2)
	if err != nil {
		return "", err
	}
	return state.Key(account, region, rest[0], rest[1]), nil
}

func noMachine(arn string) error {
	return wire.Errorf("StateMachineDoesNotExist", "State Machine Does Not Exist: '%s'", arn)
}

func noExecution(arn string) error {
	return wire.Errorf("ExecutionDoesNotExist", "Execution Does Not Exist: '%s'", arn)
}

// page tokens are the key after which the next page begins.
func pageToken(key string) string { return base64.URLEncoding.EncodeToString([]byte(key)) }

func pageStart(token string) (string, error) {
	key, err := base64.URLEncoding.DecodeString(token)
	if err != nil {
		return "", wire.Errorf("InvalidToken", "Invalid Token: '%s'", token)
	}
	return string(key), nil
}

// pageSize is maxResults, whose default is 100 and which is at most 1000; 0 asks for the default too.
func pageSize(asked int) int {
	if asked <= 0 {
		return 100
	}
	return min(asked, 1000)
}

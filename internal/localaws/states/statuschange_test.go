package states_test

import (
	"context"
	"strings"
	"testing"

	"engage/internal/localaws/states"
)

// The fields are those that AWS has recorded, and a redrive's.
func TestStatusChanges(t *testing.T) {
	told := make(chan states.StatusChange, 9)
	e := boot(t, t.TempDir(), func(cfg *states.Config) {
		cfg.Changed = func(_ context.Context, c states.StatusChange) { told <- c }
	})
	x := e.start(e.create("m", single(`{"Type":"Pass","Result":{"a":1},"End":true}`)), "n", "{}")
	for _, want := range []string{
		`"status":"RUNNING"|"stopDate":null,"input":"{}","output":null,"stateMachineVersionArn":null,"stateMachineAliasArn":null,"redriveCount":0,"redriveDate":null,"redriveStatus":"NOT_REDRIVABLE"|"inputDetails":{"included":true},"outputDetails":null,"error":null,"cause":null}`,
		`"status":"SUCCEEDED"|"output":"{\"a\":1}"|"outputDetails":{"included":true}`,
	} {
		c := <-told
		for _, part := range strings.Split(want, "|") {
			if !strings.Contains(string(c.Detail), part) {
				t.Errorf("%s\nmisses %s", c.Detail, part)
			}
		}
		if c.Execution != *x || c.Region != "us-east-1" || c.Time.IsZero() {
			t.Errorf("%+v", c)
		}
	}
}

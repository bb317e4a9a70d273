package ledger

import (
	"slices"

	"engage/internal/localaws/provider/sdk"
	"engage/internal/localaws/provider/value"
)

// Specs returns every kind that the ledger keeps.
func Specs() []Spec {
	types := sdk.Source(sdk.Types())
	return slices.Concat(network(types), rules(types), detection(types), recording(types), alarms(types), options(types))
}

// by returns the identifier that an input gives.
func by(property string) func(Making) string {
	return func(m Making) string { return value.String(m.Inputs, property) }
}

// random returns identifiers of a prefix and n random digits.
func random(prefix string, n int) func(Making) string {
	return func(m Making) string { return prefix + m.Hex(n) }
}

// constant returns one identifier: of what an account has once.
func constant(id string) func(Making) string { return func(Making) string { return id } }

// account is the identifier of what belongs to an account as a whole.
func account(m Making) string { return m.Account }

// arn returns an output "arn" and no other.
func arn(service, kind string) func(Making) value.Map {
	return func(m Making) value.Map { return value.Map{"arn": m.ARN(service, kind+m.ID)} }
}

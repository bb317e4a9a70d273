package ledger

import "slices"

// Specs returns every kind that the ledger keeps.
func Specs() []Spec {
	return slices.Concat[[]Spec](network())
}

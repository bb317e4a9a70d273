// Package pack makes what is deployed: zips that Lambda runs, and an image that
// ECS runs, without Docker. The same input gives the same bytes, whenever and
// wherever it is packed, so that nothing is deployed twice and anybody can check
// what was: times are fixed, entries sorted, modes and owners set.
package pack

import "time"

// epoch is when every packed file was last changed. Zip knows no earlier time.
var epoch = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

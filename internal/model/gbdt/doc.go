// Package gbdt scores rows with the trees of a saved XGBoost model, in Go
// alone. It reads what Booster.save_model writes, as JSON or as Universal
// Binary JSON, by XGBoost 1.7 and later, and needs no library of XGBoost's.
//
// Margins are equal to XGBoost's to the last bit: the leaf values are added in
// the order of the trees, in 32-bit floating point, beginning with the base
// score. What the objective's link makes of a margin is within 1e-6.
//
// A number goes left if it is less than a node's threshold; a category goes
// right if it is in a node's set; a missing value, NaN, goes where the node
// says. Infinities are read as the largest finite numbers (XGBoost itself
// refuses them).
//
// The format is described at https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html
// and in doc/model.schema beside it.
package gbdt

// Package shap explains what a tree ensemble answers: each feature's Shapley
// value of the margin, exactly, such that a row's values and the bias add up to
// its margin.
//
// # What is computed
//
// Explainer answers by the path-dependent expectation of TreeSHAP, the one of
// XGBoost's pred_contribs: a feature that is not known sends a row both ways, in
// the proportion of the training rows (S. Lundberg and others, "Consistent
// Individualized Feature Attribution for Tree Ensembles", arXiv:1802.03888).
// Interventional answers against a sample of rows instead: a feature that is not
// known is taken from a row of the sample (Lundberg and others, "From local
// explanations to global understanding with explainable AI for trees", Nature
// Machine Intelligence 2, 2020).
//
// # How
//
// Let a leaf of value v have the distinct features 1..d on its path, s_j be 1 if
// the row meets all conditions on feature j, else 0, and r_j be the share of the
// training rows that met them, of those that got to each. The Shapley weights are
// values of the Beta function, so that the leaf's part in feature j's value is
//
//	v (s_j - r_j) * integral over t from 0 to 1 of  product over k != j of (t s_k + (1-t) r_k)
//
// The integrand is a polynomial of degree d-1, which Gauss-Legendre quadrature
// with d/2 points, rounded up, integrates exactly: four points for depth 8. For a
// given point the factors of a path are shared by all leaves under a node, and
// the two edges of a node have factors that add up to 1: with P the product of
// the factors above a node, f the left one and L, R the sums of value times the
// factors below, over the leaves of either side,
//
//	sum(node) = R + f (L - R)        part of the node's feature += (s - r) P (L - R)
//
// so one visit of each node is all that a row takes, whatever the depth.
//
// # Repeated features
//
// Where a feature is on the path already, with the state s' and the share r', the
// factor F = t s' + (1-t) r' is in P already, and both change: the left edge
// multiplies by f = (t s' s + (1-t) r' r) / F, and the node adds
// ((s' s - r' r) - f (s' - r')) / F in place of s - r. With s' = r' = 1 these are
// the formulas above. If s' is 0, f is r and nothing is added.
//
// # Batches
//
// What a part of a tree adds depends only on how a row answers its conditions. A
// batch is explained part by part: each part is so small that its answers make a
// number of at most eight bits, for which a table holds the sum of everything
// that the part adds to each feature. The tables are filled with the formulas
// above, used for thousands of rows, and forgotten. docs/adr/0010-treeshap.md has
// the measurements behind this choice.
package shap

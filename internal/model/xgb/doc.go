// Package xgb trains gradient-boosted trees with XGBoost itself, through the C
// API of its library: https://xgboost.readthedocs.io/en/stable/c.html
//
// The library is opened when the program asks for it, so that a program that
// contains this package builds and runs where there is none, and a newer library
// needs no new program; docs/adr/0011-open-libxgboost-at-run-time.md. Versions
// from 1.7 on have all that is used.
//
// Everything may be used by many goroutines. What is called on one Matrix or one
// Booster is done one after the other, because the library keeps caches in both.
// Close frees memory at once; what is not closed is freed after the garbage
// collector has found it unused. The library prints nothing.
package xgb

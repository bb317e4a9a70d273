"""Models of many kinds with what XGBoost answers, for the tests of packages gbdt and shap.

Usage: python xgboost_models.py | gzip -9n > internal/model/gbdt/testdata/xgboost-VERSION.json.gz
once with each of the versions 1.7.6, 2.1.4 and 3.1.1 (pip install xgboost-cpu==...).
The data are random, with missing values, and categories in the last column, of
which the rows that are answered have one that no training row had.
"""

import json
import sys

import numpy as np
import xgboost as xgb

rng = np.random.default_rng(20240229)
N, M, ANSWERED = 500, 6, 24
X = rng.normal(size=(N, M)).astype(np.float32)
X[:, -1] = rng.integers(0, 9, size=N)
Z = np.where(np.isnan(X), 0, X)
X[:, :-1][rng.random((N, M - 1)) < 0.08] = np.nan
X[::50, -1] = np.nan
signal = Z[:, 0] * Z[:, 1] + np.sin(2 * Z[:, 2]) + (Z[:, -1].astype(int) % 3) + 0.2 * rng.normal(size=N)
rows = X[:ANSWERED].copy()
rows[3, -1], rows[4, -1] = 11, 40

LABELS = {
    "real": signal, "share": 1 / (1 + np.exp(-signal)), "yes": (signal > 1).astype(float),
    "count": np.floor(np.exp(0.5 * signal)), "positive": np.exp(0.5 * signal), "class": np.digitize(signal, [0, 1.5]).astype(float),
}

TREES = dict(tree_method="hist", max_depth=3, eta=0.4, seed=7, nthread=1)
ALL = {
    "squared error": ("real", dict(objective="reg:squarederror")),
    "categories one by one": ("real", dict(objective="reg:squarederror", categories=True, max_cat_to_onehot=100)),
    "categories in sets": ("real", dict(objective="reg:squarederror", categories=True, max_cat_to_onehot=1, max_depth=4)),
    "many classes": ("class", dict(objective="multi:softprob", num_class=3, base_score=0.5)),
    "best class": ("class", dict(objective="multi:softmax", num_class=3, categories=True)),
    "logistic": ("yes", dict(objective="binary:logistic", base_score=0.3)),
    "forest": ("real", dict(objective="reg:squarederror", num_parallel_tree=3, subsample=0.6, colsample_bynode=0.7)),
    "deep": ("real", dict(objective="reg:squarederror", max_depth=0, max_leaves=60, grow_policy="lossguide", rounds=2)),
    "absolute error": ("real", dict(objective="reg:absoluteerror", base_score=None)),
}
FIRST = {
    "share": ("share", dict(objective="reg:logistic")),
    "raw logit": ("yes", dict(objective="binary:logitraw", base_score=0.3)),
    "hinge": ("yes", dict(objective="binary:hinge")),
    "counts": ("count", dict(objective="count:poisson", base_score=1.5)),
    "gamma": ("positive", dict(objective="reg:gamma", base_score=2)),
    "tweedie": ("positive", dict(objective="reg:tweedie", base_score=2)),
    "pseudo-Huber": ("real", dict(objective="reg:pseudohubererror")),
    "log error": ("positive", dict(objective="reg:squaredlogerror")),
    "pairs": ("count", dict(objective="rank:pairwise")),
    "exact": ("real", dict(objective="reg:squarederror", tree_method="exact")),
    "pruned": ("real", dict(objective="reg:squarederror", tree_method="exact", max_depth=5, gamma=8)),
    "one leaf": ("real", dict(objective="reg:squarederror", gamma=1e9, rounds=2)),
}
LATER = {"quantiles": ("real", dict(objective="reg:quantileerror", quantile_alpha=[0.1, 0.5, 0.9], base_score=None))}


def short(a):
    """Numbers as short as they can be without being other 32-bit numbers."""
    return [None if np.isnan(v) else float(str(np.float32(v))) for v in np.asarray(a, np.float32).ravel()]


def case(name, label, params):
    params = {"base_score": 0.5, **TREES, **params}
    rounds, categories = params.pop("rounds", 4), params.pop("categories", False)
    if params["base_score"] is None:
        del params["base_score"]
    kinds = ["q"] * (M - 1) + ["c" if categories else "q"]
    names = [f"feature {i}" for i in range(M)]

    def matrix(data, **more):
        return xgb.DMatrix(data, feature_names=names, feature_types=kinds, enable_categorical=True, **more)

    train = matrix(X, label=LABELS[label])
    if params["objective"].startswith("rank:"):
        train.set_group([N // 10] * 10)
    booster = xgb.train(params, train, rounds)
    booster.set_attr(best_iteration="1")
    d = matrix(rows)
    return {
        "name": name,
        "model": booster.save_raw("json").decode(),
        "ubjson": booster.save_raw("ubj").hex() if name in ("squared error", "categories in sets", "many classes") else "",
        "margins": short(booster.predict(d, output_margin=True)),
        "answers": short(booster.predict(d)),
        "contributions": short(booster.predict(d, pred_contribs=True, strict_shape=True)),
        "first_two": short(booster.predict(d, output_margin=True, iteration_range=(0, 2))),
    }


version = tuple(map(int, xgb.__version__.split(".")))
cases = dict(ALL)
cases.update(FIRST if version < (2,) else LATER)
json.dump({
    "origin": f"test/oracles/xgboost_models.py with xgboost {xgb.__version__}, numpy {np.__version__}",
    "features": M,
    "rows": short(rows),
    "cases": [case(name, *c) for name, c in cases.items()],
}, sys.stdout, indent=0)
print()

"""What Python's xgboost makes of a model that package xgb saved, and of its training data.

Usage: python xgboost_reads_ours.py < internal/model/xgb/testdata/ours.json > internal/model/xgb/testdata/python.json
The input is rewritten by ENGAGE_UPDATE_GOLDEN=1 go test ./internal/model/xgb.
"""

import json
import sys

import numpy as np
import xgboost as xgb

ours = json.load(sys.stdin)
data = np.array([np.nan if v is None else v for v in ours["Data"]], np.float32).reshape(ours["Rows"], ours["Cols"])
names = [f"f{i}" for i in range(ours["Cols"])]
kinds = ["q"] * (ours["Cols"] - 1) + ["c"]
matrix = xgb.DMatrix(data, label=ours["Labels"], feature_names=names, feature_types=kinds, enable_categorical=True, nthread=1)

loaded = xgb.Booster(model_file=bytearray(ours["Model"], "utf-8"))
history = {}
trained = xgb.train(ours["Params"], matrix, ours["Rounds"], evals=[(matrix, "train")], evals_result=history, verbose_eval=False)


def margins(booster):
    return [float(str(v)) for v in booster.predict(matrix, output_margin=True)]


json.dump({
    "origin": f"test/oracles/xgboost_reads_ours.py with xgboost {xgb.__version__}, numpy {np.__version__}",
    "loaded": margins(loaded),
    "trained": margins(trained),
    "history": history["train"]["rmse"],
}, sys.stdout)
print()

"""How long Python's xgboost takes to train, for BenchmarkModel of internal/model/xgb, which calls it.

Usage: python xgboost_speed.py DIR COLUMNS ROUNDS DEPTH ETA SUBSAMPLE COLSAMPLE SEED THREADS
DIR has the rows ("data") and "labels" as 32-bit little-endian numbers.
"""

import json
import sys
import time

import numpy as np
import xgboost as xgb

directory, columns, rounds, depth, eta, subsample, colsample, seed, threads = sys.argv[1:]
data = np.fromfile(f"{directory}/data", "<f4").reshape(-1, int(columns))
labels = np.fromfile(f"{directory}/labels", "<f4")

began = time.perf_counter()
matrix = xgb.DMatrix(data, label=labels, nthread=int(threads))
xgb.train({
    "objective": "reg:squarederror", "base_score": 0.5, "tree_method": "hist", "max_depth": int(depth), "eta": float(eta),
    "subsample": float(subsample), "colsample_bytree": float(colsample), "seed": int(seed), "nthread": int(threads),
}, matrix, int(rounds))
print(json.dumps({"train": time.perf_counter() - began, "version": xgb.__version__}))

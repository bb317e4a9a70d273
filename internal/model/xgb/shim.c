#include "shim.h"

#include <dlfcn.h>
#include <stdio.h>

#include "_cgo_export.h"

static _Thread_local char missing[256];

// A function that every version from 1.7 has.
#define NEED(field, name)                                                  \
  if (!(*(void **)&a->field = dlsym(a->library, name))) {                  \
    snprintf(missing, sizeof missing, "%s has no function %s", file, name); \
    api_close(a);                                                          \
    return missing;                                                        \
  }

const char *api_open(api *a, const char *file) {
  a->library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (!a->library) {
    snprintf(missing, sizeof missing, "%s", dlerror());
    return missing;
  }
  NEED(last_error, "XGBGetLastError")
  NEED(register_log, "XGBRegisterLogCallback")
  NEED(version, "XGBoostVersion")
  NEED(matrix_dense, "XGDMatrixCreateFromDense")
  NEED(matrix_streamed, "XGQuantileDMatrixCreateFromCallback")
  NEED(matrix_info, "XGDMatrixSetInfoFromInterface")
  NEED(matrix_features, "XGDMatrixSetStrFeatureInfo")
  NEED(matrix_rows, "XGDMatrixNumRow")
  NEED(matrix_cols, "XGDMatrixNumCol")
  NEED(matrix_free, "XGDMatrixFree")
  NEED(proxy_create, "XGProxyDMatrixCreate")
  NEED(proxy_dense, "XGProxyDMatrixSetDataDense")
  NEED(booster_create, "XGBoosterCreate")
  NEED(booster_free, "XGBoosterFree")
  NEED(booster_param, "XGBoosterSetParam")
  NEED(booster_features, "XGBoosterSetStrFeatureInfo")
  NEED(booster_update, "XGBoosterUpdateOneIter")
  NEED(booster_boost, "XGBoosterBoostOneIter")
  *(void **)&a->booster_boost_at = dlsym(a->library, "XGBoosterTrainOneIter");
  NEED(booster_eval, "XGBoosterEvalOneIter")
  NEED(booster_predict, "XGBoosterPredictFromDMatrix")
  NEED(booster_save, "XGBoosterSaveModelToBuffer")
  NEED(booster_load, "XGBoosterLoadModelFromBuffer")
  NEED(booster_rounds, "XGBoosterBoostedRounds")
  NEED(booster_get, "XGBoosterGetAttr")
  NEED(booster_set, "XGBoosterSetAttr")
  return NULL;
}

void api_close(api *a) {
  if (a->library) dlclose(a->library);
  a->library = NULL;
}

void api_version(api *a, int *major, int *minor, int *patch) { a->version(major, minor, patch); }
const char *api_error(api *a) { return a->last_error(); }

// XGBoost keeps the receiver of its messages by thread, so each call that may
// write one sets it.
static void drop(const char *message) { (void)message; }
#define QUIET a->register_log(drop);

int matrix_dense(api *a, const char *data, const char *config, handle *out) {
  QUIET return a->matrix_dense(data, config, out);
}

static void reset(handle stream) { streamReset((uintptr_t)stream); }
static int next(handle stream) { return streamNext((uintptr_t)stream); }

int matrix_streamed(api *a, uintptr_t stream, handle proxy, handle reference, const char *config, handle *out) {
  QUIET return a->matrix_streamed((handle)stream, proxy, reference, reset, next, config, out);
}
int matrix_info(api *a, handle m, const char *field, const char *array) {
  QUIET return a->matrix_info(m, field, array);
}
int matrix_features(api *a, handle m, const char *field, const char **names, ulong64 n) {
  QUIET return a->matrix_features(m, field, names, n);
}
int matrix_rows(api *a, handle m, ulong64 *out) { return a->matrix_rows(m, out); }
int matrix_cols(api *a, handle m, ulong64 *out) { return a->matrix_cols(m, out); }
int matrix_free(api *a, handle m) { return a->matrix_free(m); }
int proxy_create(api *a, handle *out) { return a->proxy_create(out); }
int proxy_dense(api *a, handle proxy, const char *array) { QUIET return a->proxy_dense(proxy, array); }
int booster_create(api *a, const handle *matrices, ulong64 n, handle *out) {
  QUIET return a->booster_create(matrices, n, out);
}
int booster_free(api *a, handle b) { return a->booster_free(b); }
int booster_param(api *a, handle b, const char *name, const char *value) {
  QUIET return a->booster_param(b, name, value);
}
int booster_features(api *a, handle b, const char *field, const char **names, ulong64 n) {
  QUIET return a->booster_features(b, field, names, n);
}
int booster_update(api *a, handle b, int round, handle m) { QUIET return a->booster_update(b, round, m); }
int booster_boost(api *a, handle b, int round, handle m, float *gradient, float *hessian, ulong64 n,
                  const char *gradient_array, const char *hessian_array) {
  QUIET if (a->booster_boost_at) return a->booster_boost_at(b, m, round, gradient_array, hessian_array);
  return a->booster_boost(b, m, gradient, hessian, n);
}
int booster_eval(api *a, handle b, int round, handle *m, const char **names, ulong64 n, const char **out) {
  QUIET return a->booster_eval(b, round, m, names, n, out);
}
int booster_predict(api *a, handle b, handle m, const char *config, const ulong64 **shape, ulong64 *dims,
                    const float **out) {
  QUIET return a->booster_predict(b, m, config, shape, dims, out);
}
int booster_save(api *a, handle b, const char *config, ulong64 *n, const char **out) {
  QUIET return a->booster_save(b, config, n, out);
}
int booster_load(api *a, handle b, const void *data, ulong64 n) { QUIET return a->booster_load(b, data, n); }
int booster_rounds(api *a, handle b, int *out) { return a->booster_rounds(b, out); }
int booster_get(api *a, handle b, const char *key, const char **out, int *found) {
  return a->booster_get(b, key, out, found);
}
int booster_set(api *a, handle b, const char *key, const char *value) { return a->booster_set(b, key, value); }

// The part of XGBoost's C API that is used, as pointers into a library that is
// opened at run time: https://xgboost.readthedocs.io/en/stable/c.html
#ifndef ENGAGE_XGB_SHIM_H
#define ENGAGE_XGB_SHIM_H

#include <stddef.h>
#include <stdint.h>

typedef void *handle;
typedef uint64_t ulong64;  // bst_ulong
typedef int next_fn(handle);
typedef void reset_fn(handle);

typedef struct {
  void *library;
  const char *(*last_error)(void);
  int (*register_log)(void (*)(const char *));
  void (*version)(int *, int *, int *);
  int (*matrix_dense)(const char *, const char *, handle *);
  int (*matrix_streamed)(handle, handle, handle, reset_fn *, next_fn *, const char *, handle *);
  int (*matrix_info)(handle, const char *, const char *);
  int (*matrix_features)(handle, const char *, const char **, ulong64);
  int (*matrix_rows)(handle, ulong64 *);
  int (*matrix_cols)(handle, ulong64 *);
  int (*matrix_free)(handle);
  int (*proxy_create)(handle *);
  int (*proxy_dense)(handle, const char *);
  int (*booster_create)(const handle *, ulong64, handle *);
  int (*booster_free)(handle);
  int (*booster_param)(handle, const char *, const char *);
  int (*booster_features)(handle, const char *, const char **, ulong64);
  int (*booster_update)(handle, int, handle);
  int (*booster_boost)(handle, handle, float *, float *, ulong64);
  int (*booster_boost_at)(handle, handle, int, const char *, const char *);  // 2.1 and later, or null
  int (*booster_eval)(handle, int, handle *, const char **, ulong64, const char **);
  int (*booster_predict)(handle, handle, const char *, const ulong64 **, ulong64 *, const float **);
  int (*booster_save)(handle, const char *, ulong64 *, const char **);
  int (*booster_load)(handle, const void *, ulong64);
  int (*booster_rounds)(handle, int *);
  int (*booster_get)(handle, const char *, const char **, int *);
  int (*booster_set)(handle, const char *, const char *);
} api;

// api_open fills an api from the library of that name. It returns null, or what
// is missing, which is valid until the thread's next call.
const char *api_open(api *a, const char *name);
void api_close(api *a);

void api_version(api *a, int *major, int *minor, int *patch);
const char *api_error(api *a);

// The others return what XGBoost's functions of like names do.
int matrix_dense(api *a, const char *data, const char *config, handle *out);
int matrix_streamed(api *a, uintptr_t stream, handle proxy, handle reference, const char *config, handle *out);
int matrix_info(api *a, handle m, const char *field, const char *array);
int matrix_features(api *a, handle m, const char *field, const char **names, ulong64 n);
int matrix_rows(api *a, handle m, ulong64 *out);
int matrix_cols(api *a, handle m, ulong64 *out);
int matrix_free(api *a, handle m);
int proxy_create(api *a, handle *out);
int proxy_dense(api *a, handle proxy, const char *array);
int booster_create(api *a, const handle *matrices, ulong64 n, handle *out);
int booster_free(api *a, handle b);
int booster_param(api *a, handle b, const char *name, const char *value);
int booster_features(api *a, handle b, const char *field, const char **names, ulong64 n);
int booster_update(api *a, handle b, int round, handle m);
int booster_boost(api *a, handle b, int round, handle m, float *gradient, float *hessian, ulong64 n,
                  const char *gradient_array, const char *hessian_array);
int booster_eval(api *a, handle b, int round, handle *m, const char **names, ulong64 n, const char **out);
int booster_predict(api *a, handle b, handle m, const char *config, const ulong64 **shape, ulong64 *dims,
                    const float **out);
int booster_save(api *a, handle b, const char *config, ulong64 *n, const char **out);
int booster_load(api *a, handle b, const void *data, ulong64 n);
int booster_rounds(api *a, handle b, int *out);
int booster_get(api *a, handle b, const char *key, const char **out, int *found);
int booster_set(api *a, handle b, const char *key, const char *value);

#endif

package ecr

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"engage/internal/localaws/state"
	"engage/internal/localaws/wire"
)

func (g *registry) getManifest(q *request) error {
	var img storedImage
	err := g.s.store.Update(func(tx state.Tx) (err error) {
		if img, err = findImage(tx, q.repo, q.reference); err != nil || q.Method == http.MethodHead {
			return err
		}
		img.Pulled = wire.TimeOf(g.s.now())
		return images.Put(tx, q.repo.key(img.Digest), img)
	})
	if errors.Is(err, state.ErrNotFound) {
		return oci(http.StatusNotFound, "MANIFEST_UNKNOWN", "Requested image not found: %s in %s", q.reference, q.repo.name)
	}
	if err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Content-Type", img.MediaType)
	h.Set("Docker-Content-Digest", img.Digest)
	h.Set("Content-Length", strconv.Itoa(len(img.Manifest)))
	q.w.WriteHeader(http.StatusOK)
	if q.Method == http.MethodGet {
		q.w.Write(img.Manifest) //nolint:errcheck // the caller has gone; there is nobody to tell
	}
	return nil
}

func (g *registry) putManifest(q *request) error {
	raw, err := io.ReadAll(io.LimitReader(q.Body, maxManifest+1))
	if err != nil {
		return oci(http.StatusBadRequest, "MANIFEST_INVALID", "the manifest ended early: %v", err)
	}
	if len(raw) > maxManifest {
		return oci(http.StatusRequestEntityTooLarge, "SIZE_INVALID", "the manifest exceeds %d bytes", maxManifest)
	}
	tag := q.reference
	if digestPattern.MatchString(tag) {
		tag = ""
	} else if !tagPattern.MatchString(tag) {
		return oci(http.StatusBadRequest, "TAG_INVALID", "the tag %q is not valid", tag)
	}
	media := q.Header.Get("Content-Type")
	parsed, err := parseManifest(raw, media)
	if err == nil && tag == "" && parsed.Digest != q.reference {
		return oci(http.StatusBadRequest, "DIGEST_INVALID", "the manifest has the digest %s and not %s", parsed.Digest, q.reference)
	}
	if err := putManifestError(g.s.putImage(q.repo, raw, media, tag)); err != nil {
		return err
	}
	q.w.Header().Set("Docker-Content-Digest", parsed.Digest)
	q.w.Header().Set("Location", fmt.Sprintf("/v2/%s/manifests/%s", q.repo.name, parsed.Digest))
	q.w.WriteHeader(http.StatusCreated)
	return nil
}

func putManifestError(_ storedImage, err error) error {
	var (
		bad       *manifestError
		missing   *missingError
		immutable *immutableError
		same      *sameError
	)
	switch {
	case errors.As(err, &bad):
		return oci(http.StatusBadRequest, "MANIFEST_INVALID", "%v", err)
	case errors.As(err, &missing):
		return oci(http.StatusNotFound, "MANIFEST_BLOB_UNKNOWN", "%v", err)
	case errors.As(err, &immutable):
		return oci(http.StatusBadRequest, "TAG_INVALID", "%v", err)
	case errors.As(err, &same):
		return nil // pushing again what is there is no change
	}
	return err
}

func (g *registry) getBlob(q *request) error {
	if !digestPattern.MatchString(q.reference) {
		return oci(http.StatusBadRequest, "DIGEST_INVALID", "%q is no SHA-256 digest", q.reference)
	}
	size, err := g.s.blobs.size(q.repo, q.reference)
	if errors.Is(err, state.ErrNotFound) {
		return oci(http.StatusNotFound, "BLOB_UNKNOWN", "the blob %s is not in %s", q.reference, q.repo.name)
	}
	if err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Docker-Content-Digest", q.reference)
	h.Set("Content-Type", "application/octet-stream")
	if q.Method == http.MethodHead {
		h.Set("Content-Length", strconv.FormatInt(size, 10))
		q.w.WriteHeader(http.StatusOK)
		return nil
	}
	f, err := g.s.blobs.open(q.reference)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	http.ServeContent(q.w, q.Request, "", info.ModTime(), f)
	return nil
}

func (g *registry) listTags(q *request) error {
	limit, _ := strconv.Atoi(q.URL.Query().Get("n")) // none is all of them
	names := []string{}
	err := g.s.store.View(func(tx state.Tx) error {
		after := ""
		if last := q.URL.Query().Get("last"); last != "" {
			after = q.repo.key(last)
		}
		tagged, err := imageTags.List(tx, q.repo.prefix(), after, max(limit, 0))
		for _, e := range tagged {
			names = append(names, e.Key[len(q.repo.prefix()):])
		}
		return err
	})
	if err != nil {
		return err
	}
	if limit > 0 && len(names) == limit {
		q.w.Header().Set("Link", fmt.Sprintf(`</v2/%s/tags/list?n=%d&last=%s>; rel="next"`, q.repo.name, limit, names[limit-1]))
	}
	q.w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(q.w).Encode(map[string]any{"name": q.repo.name, "tags": names})
}

func (g *registry) beginUpload(q *request) error {
	query := q.URL.Query()
	if digest, from := query.Get("mount"), query.Get("from"); digest != "" && from != "" {
		source := repoID{q.repo.account, q.repo.region, from}
		allowed := g.s.authorize(q.Context(), q.caller, []string{"GetDownloadUrlForLayer"}, source) == nil
		if allowed && g.s.blobs.mount(source, q.repo, digest) == nil {
			return q.created(digest)
		}
	}
	id, err := g.s.openUpload(q.repo)
	if err != nil {
		return err
	}
	q.reference = id
	if query.Get("digest") != "" { // all of it in one request
		return g.continueUpload(q)
	}
	return q.accepted(http.StatusAccepted, 0)
}

func (q *request) created(digest string) error {
	q.w.Header().Set("Location", fmt.Sprintf("/v2/%s/blobs/%s", q.repo.name, digest))
	q.w.Header().Set("Docker-Content-Digest", digest)
	q.w.WriteHeader(http.StatusCreated)
	return nil
}

// accepted answers where an upload stands.
func (q *request) accepted(status int, size int64) error {
	q.w.Header().Set("Location", fmt.Sprintf("/v2/%s/blobs/uploads/%s", q.repo.name, q.reference))
	q.w.Header().Set("Docker-Upload-UUID", q.reference)
	q.w.Header().Set("Range", fmt.Sprintf("0-%d", max(size-1, 0)))
	q.w.WriteHeader(status)
	return nil
}

func (g *registry) continueUpload(q *request) error {
	u, ok := g.s.takeUpload(q.repo, q.reference)
	if !ok {
		return oci(http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN", "there is no upload %q: begin another", q.reference)
	}
	defer u.mu.Unlock()
	switch q.Method {
	case http.MethodGet:
		return q.accepted(http.StatusNoContent, u.size)
	case http.MethodDelete:
		g.s.forgetUpload(q.reference)
		q.w.WriteHeader(http.StatusNoContent)
		return u.discard()
	}
	if err := g.receive(q, u); err != nil {
		return err
	}
	if q.Method == http.MethodPatch {
		return q.accepted(http.StatusAccepted, u.size)
	}
	return g.finishUpload(q, u)
}

// receive appends the request's body. A chunk must begin where the last one ended.
func (g *registry) receive(q *request, u *upload) error {
	if ranged := q.Header.Get("Content-Range"); ranged != "" {
		var first, last int64
		if _, err := fmt.Sscanf(ranged, "%d-%d", &first, &last); err != nil || first != u.size {
			q.w.Header().Set("Range", fmt.Sprintf("0-%d", max(u.size-1, 0)))
			return oci(http.StatusRequestedRangeNotSatisfiable, "BLOB_UPLOAD_INVALID", "the chunk %s does not follow %d bytes", ranged, u.size)
		}
	}
	if _, err := io.Copy(u, q.Body); err != nil {
		g.s.forgetUpload(q.reference)
		return errors.Join(oci(http.StatusBadRequest, "BLOB_UPLOAD_INVALID", "the chunk was cut short: begin another upload: %v", err), u.discard())
	}
	return nil
}

func (g *registry) finishUpload(q *request, u *upload) error {
	g.s.forgetUpload(q.reference)
	digest := q.URL.Query().Get("digest")
	if !digestPattern.MatchString(digest) {
		return errors.Join(oci(http.StatusBadRequest, "DIGEST_INVALID", "%q is no SHA-256 digest", digest), u.discard())
	}
	err := g.s.blobs.commit(u, digest)
	if errors.Is(err, errDigest) {
		return oci(http.StatusBadRequest, "DIGEST_INVALID", "%v", err)
	}
	if err != nil {
		return err
	}
	return q.created(digest)
}

package sigv4

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Bounds of the chunked form.
const (
	maxChunkLine = 4 << 10 // a chunk's header, or one trailing header
	maxTrailers  = 16
	maxChunk     = 5 << 30 // no part of an upload is larger
)

// chunkSigner holds what each chunk's signature rests on: the one before it.
type chunkSigner struct {
	key      []byte
	auth     *Authorization
	previous string
}

func (s *chunkSigner) check(kind, given string, parts ...string) error {
	text := []string{algorithm + kind, s.auth.Time.Format(timeForm), s.auth.scope(), s.previous}
	want := hex.EncodeToString(mac(s.key, strings.Join(append(text, parts...), "\n")))
	if !hmac.Equal([]byte(want), []byte(strings.ToLower(given))) {
		return fail(Mismatch, s.auth.Service, mismatchMessage)
	}
	s.previous = want
	return nil
}

// chunkReader decodes an aws-chunked body. It hands on data while a chunk
// is still under way, so memory stays small; what it handed on is only good
// once it has returned io.EOF.
type chunkReader struct {
	body      io.ReadCloser
	in        *bufio.Reader
	signer    *chunkSigner // nil when chunks are not signed
	signature string       // of the chunk under way
	hash      hash.Hash
	left      int64 // of the chunk under way
	missing   int64 // of the decoded length
	open      bool  // a chunk is under way
	trailer   http.Header
	declared  []string // trailing headers that were announced; nil when the form has none
	trailing  bool
	err       error // sticky
}

func newChunkReader(body io.ReadCloser, length int64, trailer http.Header) *chunkReader {
	return &chunkReader{body: body, in: bufio.NewReaderSize(body, 64<<10), hash: sha256.New(), missing: length, trailer: trailer}
}

func (c *chunkReader) expectTrailer(names string) {
	c.trailing = true
	for name := range strings.SplitSeq(names, ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
			c.declared = append(c.declared, name)
		}
	}
}

// Read decodes into p. Errors: *Error of kind Mismatch or BadBody, and what
// the underlying body returns.
func (c *chunkReader) Read(p []byte) (int, error) {
	if c.err != nil || len(p) == 0 {
		return 0, c.err
	}
	n, err := c.read(p)
	if err != nil {
		c.err = bodyError(err)
	}
	return n, c.err
}

// bodyError turns the end of the connection in the middle of a chunk into what it means.
func bodyError(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fail(BadBody, "s3", "The request body ended before its last chunk")
	}
	return err
}

func (c *chunkReader) read(p []byte) (int, error) {
	if !c.open {
		if err := c.begin(); err != nil {
			return 0, err
		}
		if c.left == 0 {
			return 0, c.finish()
		}
	}
	n, err := c.in.Read(p[:min(int64(len(p)), c.left)])
	if c.signer != nil {
		c.hash.Write(p[:n])
	}
	c.left -= int64(n)
	if err == io.EOF {
		return n, io.ErrUnexpectedEOF
	}
	if err != nil || c.left > 0 {
		return n, err
	}
	return n, c.endChunk()
}

// begin reads a chunk's header: its length in hexadecimal, and its signature.
func (c *chunkReader) begin() error {
	line, err := c.line()
	if err != nil {
		return err
	}
	size, signature, err := parseChunkHeader(line, c.signer != nil)
	if err != nil {
		return err
	}
	if size > c.missing {
		return fail(BadBody, "s3", "the chunks hold more than x-amz-decoded-content-length says")
	}
	c.left, c.signature, c.open = size, signature, true
	c.missing -= size
	return nil
}

// parseChunkHeader reads "400;chunk-signature=...". The signature is there exactly when chunks are signed.
func parseChunkHeader(line string, signed bool) (size int64, signature string, err error) {
	length, extension, extended := strings.Cut(line, ";")
	n, err := strconv.ParseUint(length, 16, 63)
	if err != nil || n > maxChunk {
		return 0, "", fail(BadBody, "s3", "the chunk length %.40q cannot be read", length)
	}
	signature, named := strings.CutPrefix(extension, "chunk-signature=")
	switch {
	case !signed && !extended:
		return int64(n), "", nil
	case !signed || !named:
		return 0, "", fail(BadBody, "s3", "the chunk header %.80q cannot be read", line)
	}
	if raw, err := hex.DecodeString(signature); err != nil || len(raw) != sha256.Size {
		return 0, "", fail(BadBody, "s3", "the chunk signature must be 64 hexadecimal digits")
	}
	return int64(n), signature, nil
}

// endChunk checks a chunk's data and its closing line break.
func (c *chunkReader) endChunk() error {
	c.open = false
	if err := c.checkChunk(); err != nil {
		return err
	}
	line, err := c.line()
	if err == nil && line != "" {
		return fail(BadBody, "s3", "a chunk is longer than its header says")
	}
	return err
}

func (c *chunkReader) checkChunk() error {
	if c.signer == nil {
		return nil
	}
	sum := hex.EncodeToString(c.hash.Sum(nil))
	c.hash.Reset()
	return c.signer.check("-PAYLOAD", c.signature, emptyHash, sum)
}

// finish reads what follows the last, empty chunk. Its result is io.EOF when all is well.
func (c *chunkReader) finish() error {
	if err := c.checkChunk(); err != nil {
		return err
	}
	if c.missing > 0 {
		return fail(BadBody, "s3", "the chunks hold %d bytes less than x-amz-decoded-content-length says", c.missing)
	}
	if err := c.readTrailer(); err != nil {
		return err
	}
	if _, err := c.in.ReadByte(); err != io.EOF {
		if err == nil {
			err = fail(BadBody, "s3", "data follows the last chunk")
		}
		return err
	}
	return io.EOF
}

// readTrailer reads headers up to the empty line and checks their signature.
func (c *chunkReader) readTrailer() error {
	var canonical strings.Builder
	var signature string
	for range maxTrailers {
		line, err := c.line()
		if errors.Is(err, io.ErrUnexpectedEOF) && line == "" {
			line, err = "", nil // some clients leave out the last line break
		}
		if err != nil {
			return err
		}
		if line == "" {
			return c.checkTrailer(canonical.String(), signature)
		}
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch {
		case !ok || !c.trailing:
			return fail(BadBody, "s3", "the line %.80q after the last chunk is no trailing header", line)
		case name == "x-amz-trailer-signature":
			signature = value
		case !slices.Contains(c.declared, name) || c.trailer.Get(name) != "":
			return fail(BadBody, "s3", "the trailing header %.80q is not announced in x-amz-trailer, or comes twice", name)
		default:
			c.trailer.Set(name, value)
			canonical.WriteString(name + ":" + value + "\n")
		}
	}
	return fail(BadBody, "s3", "the body has more than %d trailing headers", maxTrailers)
}

func (c *chunkReader) checkTrailer(canonical, signature string) error {
	for _, name := range c.declared {
		if c.trailer.Get(name) == "" {
			return fail(BadBody, "s3", "the trailing header %s is missing", name)
		}
	}
	if c.signer == nil || !c.trailing {
		return nil
	}
	return c.signer.check("-TRAILER", signature, hexHash([]byte(canonical)))
}

// line reads up to a line break, which may lack its carriage return as in trailers of some clients.
func (c *chunkReader) line() (string, error) {
	raw, err := c.in.ReadSlice('\n')
	switch {
	case err == bufio.ErrBufferFull || len(raw) > maxChunkLine:
		return "", fail(BadBody, "s3", "a chunk header is longer than %d bytes", maxChunkLine)
	case err == io.EOF:
		return string(raw), io.ErrUnexpectedEOF
	case err != nil:
		return "", err
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r"), nil
}

// Close closes the underlying body.
func (c *chunkReader) Close() error { return c.body.Close() }

package server

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"engage/internal/localaws/wire"
)

// unchunk replaces a body in AWS's chunked coding by the decoded one. The
// chunks' signatures are not looked at.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
func unchunk(r *http.Request) error {
	if !strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		return nil
	}
	length, err := strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
	if err != nil || length < 0 {
		return wire.StatusErrorf(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
	}
	r.ContentLength = length
	r.Trailer = http.Header{}
	r.Body = &chunkReader{body: r.Body, r: bufio.NewReaderSize(r.Body, 64<<10), trailer: r.Trailer, left: length}
	stripCoding(r.Header)
	return nil
}

// stripCoding removes aws-chunked, which is of the transfer and not of the object.
func stripCoding(h http.Header) {
	var rest []string
	for _, coding := range strings.Split(h.Get("Content-Encoding"), ",") {
		if coding = strings.TrimSpace(coding); coding != "" && coding != "aws-chunked" {
			rest = append(rest, coding)
		}
	}
	h.Del("Content-Encoding")
	if len(rest) > 0 {
		h.Set("Content-Encoding", strings.Join(rest, ","))
	}
}

var errChunk = wire.Errorf("IncompleteBody", "The request body is not in the aws-chunked coding that its headers name.")

type chunkReader struct {
	body    io.Closer
	r       *bufio.Reader
	trailer http.Header
	chunk   int64 // bytes left in this chunk
	left    int64 // bytes left of the decoded body
	begun   bool
	err     error
}

func (c *chunkReader) Close() error { return c.body.Close() }

func (c *chunkReader) Read(p []byte) (int, error) {
	if c.err == nil && c.chunk == 0 {
		c.err = c.next()
	}
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.chunk)])
	c.chunk -= int64(n)
	c.left -= int64(n)
	if err != nil {
		c.err = errChunk.Because(err)
	}
	return n, c.err
}

// next reads the header of the next chunk: "SIZE[;chunk-signature=...]".
func (c *chunkReader) next() error {
	if c.begun {
		if line, err := c.line(); err != nil || line != "" {
			return errChunk
		}
	}
	c.begun = true
	line, err := c.line()
	if err != nil {
		return err
	}
	size, _, _ := strings.Cut(line, ";")
	c.chunk, err = strconv.ParseInt(size, 16, 64)
	if err != nil || c.chunk < 0 || c.chunk > c.left {
		return errChunk
	}
	if c.chunk > 0 {
		return nil
	}
	if c.left != 0 {
		return errChunk
	}
	return c.trailers()
}

// trailers reads the headers after the last chunk up to the end of the body.
func (c *chunkReader) trailers() error {
	for {
		line, err := c.line()
		if errors.Is(err, io.ErrUnexpectedEOF) || err == nil && line == "" {
			return io.EOF
		}
		if err != nil {
			return err
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || len(c.trailer) > 16 {
			return errChunk
		}
		c.trailer.Set(strings.TrimSpace(name), strings.TrimSpace(value))
	}
}

func (c *chunkReader) line() (string, error) {
	b, err := c.r.ReadSlice('\n')
	if err == io.EOF && len(b) == 0 {
		return "", io.ErrUnexpectedEOF
	}
	if err != nil {
		return "", errChunk
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

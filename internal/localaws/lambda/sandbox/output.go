package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"time"
)

// maxLine is where a line without end is cut.
const maxLine = 256<<10 - 64

// output reads what the processes print.
type output struct {
	read, write *os.File
	line        func([]byte)
	partial     []byte
	drained     chan struct{}
	done        chan struct{}
}

func newOutput(line func([]byte)) (*output, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe for the function's output: %w", err)
	}
	o := &output{read: r, write: w, line: line, drained: make(chan struct{}, 1), done: make(chan struct{})}
	go o.loop()
	return o, nil
}

// started closes the end that the process has now.
func (o *output) started() error { return o.write.Close() }

func (o *output) loop() {
	defer close(o.done)
	buffer := make([]byte, 64<<10)
	for {
		n, err := o.read.Read(buffer)
		o.take(buffer[:n])
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			o.rest(buffer)
			o.drained <- struct{}{}
		case err != nil:
			o.flush()
			return
		}
	}
}

// rest reads what is in the pipe, and does not wait for more. A process that
// prints without pause is read for as much as the pipe can hold, no further.
func (o *output) rest(buffer []byte) {
	if err := o.read.SetReadDeadline(time.Time{}); err != nil {
		return
	}
	raw, err := o.read.SyscallConn()
	if err != nil {
		return
	}
	const most = 1 << 20 / (64 << 10) // pipes hold 1 MiB at most, unless root says otherwise
	for range most {
		n := 0
		err := raw.Read(func(fd uintptr) bool {
			n = readNow(fd, buffer)
			return true
		})
		if err != nil || n <= 0 {
			break
		}
		o.take(buffer[:n])
	}
	o.flush()
}

// drain returns when all that was printed before has been taken.
func (o *output) drain() {
	if err := o.read.SetReadDeadline(time.Unix(1, 0)); err != nil {
		return
	}
	select {
	case <-o.drained:
	case <-o.done:
	}
}

// take cuts lines off what was read.
func (o *output) take(b []byte) {
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			o.partial = append(o.partial, b...)
			for len(o.partial) > maxLine {
				o.line(o.partial[:maxLine])
				o.partial = append(o.partial[:0], o.partial[maxLine:]...)
			}
			return
		}
		if len(o.partial) == 0 {
			o.line(b[:i])
		} else {
			o.line(append(o.partial, b[:i]...))
			o.partial = o.partial[:0]
		}
		b = b[i+1:]
	}
}

func (o *output) flush() {
	if len(o.partial) > 0 {
		o.line(o.partial)
		o.partial = o.partial[:0]
	}
}

// close stops reading, though a process that escaped may still hold the pipe.
func (o *output) close() {
	o.write.Close() //nolint:errcheck // mostly closed already
	o.read.Close()  //nolint:errcheck // nothing was written to it
	<-o.done
}

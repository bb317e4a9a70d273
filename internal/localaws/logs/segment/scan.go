package segment

import (
	"encoding/binary"
	"hash/crc32"
)

// torn is what nextRecord says of a record that a crash may have cut short.
const torn = "the last record is incomplete"

// nextRecord returns the payload of the record that data begins with, or why
// there is none. A record with data behind it was acknowledged as a whole, so
// a wrong checksum in it is damage and not a crash.
func nextRecord(data []byte) (payload []byte, reason string) {
	if len(data) < headerSize {
		return nil, torn
	}
	length := int64(binary.LittleEndian.Uint32(data))
	if length > maxPayload || headerSize+length > int64(len(data)) {
		return nil, torn
	}
	payload = data[headerSize : headerSize+length]
	if crc32.Checksum(payload, castagnoli) == binary.LittleEndian.Uint32(data[4:]) && length > 0 {
		return payload, ""
	}
	if headerSize+length == int64(len(data)) || allZero(data) {
		return nil, torn
	}
	return nil, "the checksum of a record is wrong"
}

// allZero reports whether a file system extended the file and wrote nothing.
func allZero(data []byte) bool {
	for _, c := range data {
		if c != 0 {
			return false
		}
	}
	return true
}

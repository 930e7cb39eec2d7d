package main

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// header is what a leaf takes of a record's header: a CBOR map with small integer keys.
type header struct {
	kind    uint16
	at      int64
	tenant  [16]byte
	event   [16]byte
	subject [16]byte
	body    [32]byte
	facts   []byte
}

type genesisFacts struct {
	installation []byte
	count        int
}

// leaf writes the 133 bytes of the table in src/audit/README.md.
func (h header) leaf(raw []byte, partition int, index int64) []byte {
	sum := sha256.Sum256(raw)
	leaf := append([]byte{1}, h.tenant[:]...)
	leaf = binary.BigEndian.AppendUint16(leaf, uint16(partition))
	leaf = binary.BigEndian.AppendUint64(leaf, uint64(index))
	leaf = binary.BigEndian.AppendUint16(leaf, h.kind)
	leaf = binary.BigEndian.AppendUint64(leaf, uint64(h.at))
	leaf = append(leaf, h.event[:]...)
	leaf = append(leaf, h.subject[:]...)
	leaf = append(leaf, sum[:]...)
	return append(leaf, h.body[:]...)
}

func decode(raw []byte) (h header, err error) {
	fields, err := mapOf(raw)
	if err != nil {
		return h, err
	}
	h.kind = uint16(number(fields[0]))
	h.at = number(fields[7])
	copy(h.event[:], bytesOf(fields[1]))
	copy(h.tenant[:], bytesOf(fields[5]))
	copy(h.subject[:], bytesOf(fields[13]))
	if body, is := fields[11].([]any); is && len(body) == 2 {
		copy(h.body[:], bytesOf(body[1]))
	}
	h.facts = bytesOf(fields[15])
	return h, nil
}

func decodeFacts(raw []byte) (facts genesisFacts, err error) {
	fields, err := mapOf(raw)
	facts.installation, facts.count = bytesOf(fields[0]), int(number(fields[2]))
	return facts, err
}

func number(value any) int64 {
	n, _ := value.(int64)
	return n
}

func bytesOf(value any) []byte {
	bytes, _ := value.([]byte)
	return bytes
}

func mapOf(raw []byte) (map[int64]any, error) {
	value, rest, err := item(raw)
	fields, is := value.(map[int64]any)
	if err != nil || !is || len(rest) > 0 {
		return nil, fmt.Errorf("a header is one CBOR map: %v", err)
	}
	return fields, nil
}

// item reads one item of CBOR (RFC 8949), as far as headers use it: integers, bytes, texts, arrays, maps, simple values.
func item(raw []byte) (any, []byte, error) {
	if len(raw) == 0 {
		return nil, nil, fmt.Errorf("an item is missing")
	}
	major, argument, rest, err := first(raw)
	if err != nil {
		return nil, nil, err
	}
	switch major {
	case 0:
		return int64(argument), rest, nil
	case 1:
		return -1 - int64(argument), rest, nil
	case 2, 3:
		if argument > uint64(len(rest)) {
			return nil, nil, fmt.Errorf("a string ends early")
		}
		return rest[:argument:argument], rest[argument:], nil
	case 4:
		var all []any
		for ; argument > 0; argument-- {
			var one any
			if one, rest, err = item(rest); err != nil {
				return nil, nil, err
			}
			all = append(all, one)
		}
		return all, rest, nil
	case 5:
		all := map[int64]any{}
		for ; argument > 0; argument-- {
			var key, one any
			if key, rest, err = item(rest); err != nil {
				return nil, nil, err
			}
			if one, rest, err = item(rest); err != nil {
				return nil, nil, err
			}
			all[number(key)] = one
		}
		return all, rest, nil
	case 7:
		return nil, rest, nil
	}
	return nil, nil, fmt.Errorf("headers have no items of type %d", major)
}

func first(raw []byte) (major byte, argument uint64, rest []byte, err error) {
	major, short, rest := raw[0]>>5, raw[0]&31, raw[1:]
	if short < 24 {
		return major, uint64(short), rest, nil
	}
	length := 1 << (short - 24)
	if short > 27 || len(rest) < length {
		return 0, 0, nil, fmt.Errorf("an item ends early")
	}
	for _, digit := range rest[:length] {
		argument = argument<<8 | uint64(digit)
	}
	return major, argument, rest[length:], nil
}

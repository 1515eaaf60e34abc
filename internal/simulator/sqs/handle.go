package sqs

import (
	"crypto/md5" // what SQS calls MD5OfBody
	"encoding/hex"
	"strconv"
)

// A receipt handle names one receive of one copy of a message. It is as long as real ones, so that requests are.
const (
	handlePrefix = "AQEB"
	handleFiller = "kq3zVb0dYw7lTn5hXc9sRf2jMg8pLa6uEo4iQy1t" + "Kq3zVb0dYw7lTn5hXc9sRf2jMg8pLa6uEo4iQy1t" + "Qk3zVb0dYw7lTn5hXc9sRf2jMg8pLa6uEo4iQy1t"
	handleDigits = 16 + 8 + 16
	handleLength = len(handlePrefix) + handleDigits + len(handleFiller)
)

// appendHandle appends the handle of a receive.
func (q *Queue) appendHandle(dst []byte, seq uint64, receive int) []byte {
	dst = append(dst, handlePrefix...)
	dst = appendHex(dst, seq, 16)
	dst = appendHex(dst, uint64(receive), 8)
	dst = appendHex(dst, q.check(seq, receive), 16)
	return append(dst, handleFiller...)
}

// parseHandle reads a handle; ok is false for one that this queue has not made.
func (q *Queue) parseHandle(handle string) (seq uint64, receive int, ok bool) {
	if len(handle) != handleLength {
		return 0, 0, false
	}
	digits := handle[len(handlePrefix):]
	seq, err1 := strconv.ParseUint(digits[:16], 16, 64)
	count, err2 := strconv.ParseUint(digits[16:24], 16, 32)
	check, err3 := strconv.ParseUint(digits[24:40], 16, 64)
	receive = int(count)
	return seq, receive, err1 == nil && err2 == nil && err3 == nil && check == q.check(seq, receive)
}

// check tells handles of one queue from those of others.
func (q *Queue) check(seq uint64, receive int) uint64 {
	x := q.handleKey ^ seq*0x9E3779B97F4A7C15 ^ uint64(receive)<<48
	x ^= x >> 31
	x *= 0xBF58476D1CE4E5B9
	return x ^ x>>29
}

// appendHex appends the last digits hexadecimal digits of v.
func appendHex(dst []byte, v uint64, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789abcdef"[v>>shift&15])
	}
	return dst
}

// hexMD5 is the sum in the form of MD5OfBody.
func hexMD5(body []byte) string {
	sum := md5.Sum(body)
	return hex.EncodeToString(sum[:])
}

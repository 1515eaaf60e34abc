// Package googleauth obtains the consent of a Google user through a browser and stores what comes of it as a credentials file
// of type authorized_user.
//
// Obtain is the flow of a program on a desktop (RFC 8252): it answers on a port of 127.0.0.1 that it picks, tells the address
// of Google's consent page, waits for the browser to come back, and exchanges the code that it brings for tokens. The answer
// must carry the state that was sent out, and the code is worth nothing without the verifier of PKCE (RFC 7636), so neither a
// page that the browser has open elsewhere nor another program on the machine can slip in an answer or use one.
//
// A Reservation is taken before the user is asked, so that what speaks against storing the file is known before.
//
// Nothing here may be called by several at once. No secret is in any error. The package is imported by internal/app and the
// command line.
package googleauth

package datagen

import (
	"fmt"
	"strings"

	"github.com/brianvoe/gofakeit/v7"

	"engage/datagen/philox"
	"engage/internal/frame"
	"engage/internal/schema"
)

// Invented addresses must not be anyone's: the domains are reserved by RFC 2606
// and the telephone numbers 555-0100 to 555-0199 are kept for fiction.
var mailDomains = [...]string{"example.com", "example.net", "example.org"}

// Persons makes the personal data of the customers of rows lo to hi-1.
func (p *Population) Persons(lo, hi int) *frame.Batch {
	b := frame.New(&schema.Persons, hi-lo)
	name, email, phone := b.Column(schema.FullName).Strings, b.Column(schema.Email).Strings, b.Column(schema.Phone).Strings
	b.Column(schema.CustomerID).Strings = customerIDs(hi-lo, rowsFrom(lo))
	for i := range name {
		row := lo + i
		source := philox.New(p.seed, forPersons, uint64(row))
		fake := gofakeit.NewFaker(&source, false)
		first, last := fake.FirstName(), fake.LastName()
		name[i] = first + " " + last
		email[i] = fmt.Sprintf("%s.%s%d@%s", mailbox(first), mailbox(last), row+1, mailDomains[fake.IntN(len(mailDomains))])
		phone[i] = fmt.Sprintf("+1-%d-555-01%02d", 201+fake.IntN(779), fake.IntN(100))
	}
	p.damagePersons(b, lo)
	return b
}

// mailbox keeps the letters of a name.
func mailbox(name string) string {
	return strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			return -1
		}
		return r
	}, strings.ToLower(name))
}

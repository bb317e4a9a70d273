package dataset

const (
	idPrefix = "CUST_"
	idDigits = 8
	maxID    = 100_000_000
	pageBits = 16
	numPages = maxID>>pageBits + 1
)

// parseID is the number in a customer id, CUST_ and eight digits.
func parseID(s string) (id uint32, ok bool) {
	if len(s) != len(idPrefix)+idDigits || s[:len(idPrefix)] != idPrefix {
		return 0, false
	}
	for i := len(idPrefix); i < len(s); i++ {
		digit := s[i] - '0'
		if digit > 9 {
			return 0, false
		}
		id = id*10 + uint32(digit)
	}
	return id, true
}

// idSet is a set of customer numbers, a bit each, in pages made when needed.
type idSet struct {
	pages [numPages]*[1 << pageBits / 64]uint64
}

// add puts id into the set and reports whether it was not there.
func (s *idSet) add(id uint32) bool {
	page := s.pages[id>>pageBits]
	if page == nil {
		page = new([1 << pageBits / 64]uint64)
		s.pages[id>>pageBits] = page
	}
	word, bit := &page[id%(1<<pageBits)/64], uint64(1)<<(id%64)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	return true
}

// account is what is known of a customer across tables, 12 bytes.
type account struct {
	row    uint32 // in the customers file, 1 for the first; 0: no such customer
	total  int32  // total_connections; -1: missing
	degree uint32 // edges seen
}

// ledger holds an account for each customer number, in pages made when needed.
type ledger struct {
	pages [numPages]*[1 << pageBits]account
}

// open makes the account of a customer, and leaves one that is there alone.
func (l *ledger) open(id, row uint32, total int32) {
	page := l.pages[id>>pageBits]
	if page == nil {
		page = new([1 << pageBits]account)
		l.pages[id>>pageBits] = page
	}
	if a := &page[id%(1<<pageBits)]; a.row == 0 {
		*a = account{row: row, total: total}
	}
}

// find is the account of a customer, or nil.
func (l *ledger) find(id uint32) *account {
	page := l.pages[id>>pageBits]
	if page == nil || page[id%(1<<pageBits)].row == 0 {
		return nil
	}
	return &page[id%(1<<pageBits)]
}

// each visits the accounts by ascending number.
func (l *ledger) each(visit func(a *account)) {
	for _, page := range l.pages {
		if page == nil {
			continue
		}
		for i := range page {
			if page[i].row != 0 {
				visit(&page[i])
			}
		}
	}
}

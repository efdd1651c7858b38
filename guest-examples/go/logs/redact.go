package logs

import (
	"strconv"
	"strings"

	wit "go.bytecodealliance.org/pkg/wit/types"
	types "wit_component/example_logs_types"
)

// secrets are the kinds of secrets, in the order in which a word is tried.
var secrets = []struct {
	kind types.Secrets
	is   func(word string) bool
}{
	{types.SecretsTimes, isTime},
	{types.SecretsEmails, isEmail},
	{types.SecretsAddresses, isAddress},
	{types.SecretsVersions, isVersion},
	{types.SecretsPackages, isPackage},
}

// Redact hides what should not leave the house.
func Redact(text string, what types.Secrets, mask rune) types.Redacted {
	var out strings.Builder
	out.Grow(len(text))
	hidden := map[types.Secrets]uint32{}
	for {
		start := strings.IndexFunc(text, inWord)
		if start < 0 {
			break
		}
		end := len(text)
		if length := strings.IndexFunc(text[start:], func(r rune) bool { return !inWord(r) }); length >= 0 {
			end = start + length
		}
		word := strings.TrimRight(text[start:end], ".:-")
		out.WriteString(text[:start])
		if kind := kindOf(word); kind&what != 0 {
			hidden[kind]++
			out.WriteString(strings.Repeat(string(mask), len(word)))
		} else {
			out.WriteString(word)
		}
		out.WriteString(text[start+len(word) : end])
		text = text[end:]
	}
	out.WriteString(text)
	redacted := types.Redacted{Text: out.String()}
	for _, secret := range secrets {
		if count := hidden[secret.kind]; count > 0 {
			redacted.Counts = append(redacted.Counts, wit.Tuple2[types.Secrets, uint32]{F0: secret.kind, F1: count})
		}
	}
	return redacted
}

func inWord(r rune) bool { return isAlphanumeric(r) || strings.ContainsRune("@.:+~_-", r) }

// kindOf is the first kind of secret that the word looks like.
func kindOf(word string) types.Secrets {
	for _, secret := range secrets {
		if secret.is(word) {
			return secret.kind
		}
	}
	return 0
}

func isTime(word string) bool {
	_, date := numbers(word, "-", 4, 2, 2)
	_, clock := numbers(word, ":", 2, 2, 2)
	return date || clock
}

func isEmail(word string) bool {
	user, host, found := strings.Cut(word, "@")
	return found && user != "" && strings.Contains(host, ".") && !strings.Contains(host, "@")
}

func isAddress(word string) bool {
	host, port, found := strings.Cut(word, ":")
	parts := strings.Split(host, ".")
	for _, part := range parts {
		if number, err := strconv.Atoi(part); err != nil || number > 255 || len(part) > 3 || !isNumber(part) {
			return false
		}
	}
	return len(parts) == 4 && (!found || port != "" && len(port) <= 5 && isNumber(port))
}

func isVersion(word string) bool {
	return word != "" && isDigit(rune(word[0])) && strings.ContainsAny(word, ".+~-")
}

func isPackage(word string) bool {
	name, arch, found := strings.Cut(word, ":")
	return found && name != "" && isAlphanumeric(rune(name[0])) &&
		arch != "" && isLower(rune(arch[0])) && !strings.Contains(arch, ":")
}

// The end of a journal as https://www.sqlite.org/fileformat.html and pager.c write it: the super-journal's name, its length and a checksum
// (4 bytes each, big-endian), and the 8 bytes with which a journal begins, too.
#include "store/journal_check.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "limrisk/error.hpp"

namespace limrisk {
namespace {

constexpr std::string_view journal_magic("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8);
constexpr off_t tail_bytes = 16;  // length, checksum, magic

[[noreturn]] void refuse(const std::filesystem::path& store, const char* ending, const std::string& why) {
    throw StoreError(ExitCode::Data, fmt::format("store {}: {}{} {}", store.string(), store.filename().string(), ending, why));
}

/// True if the file is not there.
bool absent(const std::string& name, struct stat& status) { return lstat(name.c_str(), &status) != 0 && errno == ENOENT; }

/// SQLite looks for a name only where the magic is, and follows it if the checksum fits. No journal of limrisk ends so.
bool names_another_file(int journal) {
    struct stat status {};
    std::array<char, tail_bytes> tail{};
    if (fstat(journal, &status) != 0 || status.st_size < tail_bytes) return false;
    if (pread(journal, tail.data(), tail.size(), status.st_size - tail_bytes) != tail_bytes) return false;
    return std::string_view(tail.data() + tail.size() - journal_magic.size(), journal_magic.size()) == journal_magic;
}

}  // namespace

void check_journal(const std::filesystem::path& path) {
    constexpr const char* no_link =
        "is a link or not a regular file; limrisk never creates one, and writing the store would change or delete its target: check it, "
        "and remove it";
    struct stat status {};
    for (const char* ending : {"-wal", "-shm"}) {
        if (!absent(path.string() + ending, status))
            refuse(path, ending,
                   "exists, but limrisk never creates it: another program opened the store in WAL mode, or copied the file here. In the "
                   "first case `sqlite3 STORE 'PRAGMA journal_mode = DELETE'` writes its contents to the store; otherwise remove it");
    }
    const std::string journal = path.string() + "-journal";
    if (absent(journal, status)) return;
    if (!S_ISREG(status.st_mode) || status.st_nlink > 1) refuse(path, "-journal", no_link);
    const int descriptor = open(journal.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) {
        if (errno == ENOENT) return;  // its writer is done
        if (errno == ELOOP) refuse(path, "-journal", no_link);
        throw StoreError(ExitCode::InputOutput,
                         fmt::format("store {}: {} cannot be read: {}", path.string(), journal, std::strerror(errno)));
    }
    const bool hostile = names_another_file(descriptor);
    close(descriptor);
    if (hostile)
        refuse(path, "-journal",
               "names another file, which SQLite would delete; limrisk never writes such a journal. Remove it, and check the store with "
               "`limrisk verify`");
}

}  // namespace limrisk

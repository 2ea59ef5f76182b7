// See output_target.hpp.
#include "files/output_target.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "limrisk/error.hpp"

namespace limrisk {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& name, const std::string& why) {
    throw Error(ExitCode::InputOutput, fmt::format("{}: {}", name.string(), why));
}

constexpr const char* no_database =
    "is an SQLite database, as every limrisk store is; limrisk never writes an output over one: give another name, or move it away";

/// SQLite and the writer's lock take these names beside a store.
void refuse_companions(const fs::path& name, const fs::path& path) {
    const std::string text = path.string();
    for (const std::string_view ending : {"-journal", "-wal", "-shm", "-lock"}) {
        if (text.size() <= ending.size() || !text.ends_with(ending)) continue;
        const fs::path store = text.substr(0, text.size() - ending.size());
        if (is_sqlite(store))
            refuse(name, fmt::format("belongs to the store {}, as its name says; give another name", store.filename().string()));
    }
}

/// `/dev/stdout`, `/dev/fd/1`, or the file that stdout was redirected to.
bool is_what_stdout_is(const struct stat& status) {
    struct stat standard {};
    return fstat(STDOUT_FILENO, &standard) == 0 && standard.st_dev == status.st_dev && standard.st_ino == status.st_ino;
}

}  // namespace

bool is_sqlite(const fs::path& path) {
    const int descriptor = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) return false;
    constexpr std::string_view magic("SQLite format 3\0", 16);
    std::array<char, magic.size()> head{};
    struct stat status {};
    const bool same = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
                      pread(descriptor, head.data(), head.size(), 0) == static_cast<ssize_t>(head.size()) &&
                      std::string_view(head.data(), head.size()) == magic;
    close(descriptor);
    return same;
}

OutputTarget output_target(const fs::path& name, bool replace) {
    if (name.empty()) throw Error(ExitCode::InputOutput, "the name of the output is empty; give a file name, or - for stdout");
    OutputTarget target{name, {}, false, false, 0};
    struct stat status {};
    const bool named_stdout = name == standard_output_name;
    if (named_stdout || (stat(name.c_str(), &status) == 0 && is_what_stdout_is(status))) {
        if (is_sqlite("/proc/self/fd/1")) refuse(named_stdout ? "standard output" : name, no_database);
        target.stream = true;
        return target;
    }
    std::error_code error;
    const bool exists = stat(name.c_str(), &status) == 0;
    if (!exists && errno != ENOENT) refuse(name, fmt::format("cannot be written: {}", std::strerror(errno)));
    if (!exists && fs::is_symlink(fs::symlink_status(name, error)))
        refuse(name, "is a link to a file that does not exist; give the name of the file itself");
    target.path = fs::weakly_canonical(fs::absolute(name), error);
    if (error) refuse(name, fmt::format("cannot be written: {}", error.message()));
    refuse_companions(name, target.path);
    if (!exists) return target;
    if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)) {
        target.stream = true;
        return target;
    }
    if (!S_ISREG(status.st_mode)) refuse(name, "is not a regular file; give the name of a new file");
    if (is_sqlite(target.path)) refuse(name, no_database);
    if (!replace) refuse(name, "exists already; give another name, or --force to replace it");
    target.exists = true;
    target.permissions = status.st_mode & 07777;
    return target;
}

}  // namespace limrisk

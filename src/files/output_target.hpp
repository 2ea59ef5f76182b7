// What the name that a user gave for an output stands for, and whether limrisk may write there.
#pragma once
#include <sys/types.h>

#include <filesystem>

namespace limrisk {

/// The name of stdout on the command line.
inline constexpr const char* standard_output_name = "-";

struct OutputTarget {
    std::filesystem::path name;  ///< as given, for messages
    std::filesystem::path path;  ///< absolute, links resolved; empty for stdout
    bool stream = false;         ///< stdout, a FIFO or a character device: written as it comes, nothing is replaced
    bool exists = false;         ///< a regular file that is to be replaced
    mode_t permissions = 0;      ///< of that file

    bool is_stdout() const { return path.empty(); }
};

/// Throws Error(InputOutput) where nothing may be written: a directory, a socket, a block device, a file that is there (unless
/// `replace`), and whatever `replace` says an SQLite database (every limrisk store is one, known by its content, whatever links lead to
/// it) and the names of the journal and lock of one.
OutputTarget output_target(const std::filesystem::path& name, bool replace);

/// True if the open file or the file at `path` begins as an SQLite database does.
bool is_sqlite(const std::filesystem::path& path);

}  // namespace limrisk

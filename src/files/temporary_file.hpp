// A file without a name, or with one that goes whatever ends the program, until it gets the name that it is for.
#pragma once
#include <sys/types.h>

#include <filesystem>
#include <optional>

#include "files/leftover.hpp"

namespace limrisk {

/// Ends the hidden name of a file that has one.
inline constexpr const char* temporary_ending = ".tmp";

/// Open for reading and writing, in the folder of `path`. Without a name where the file system can do that (O_TMPFILE), so nothing is left
/// behind even after kill -9; else with a hidden name ".NAME.<...>.tmp", which the destructor removes, and SIGINT, SIGTERM, SIGHUP and
/// SIGQUIT where they end the program.
class TemporaryFile {
public:
    enum class Naming { NoneIfPossible, Named };  ///< Named: for tests of file systems without O_TMPFILE

    /// Throws std::system_error.
    explicit TemporaryFile(std::filesystem::path path, mode_t permissions = 0666, Naming naming = Naming::NoneIfPossible);
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile();
    int descriptor() const { return descriptor_; }

    /// The file appears at the path, synced, its folder too. Without `replace` never in the place of another. 0 or errno; then nothing of
    /// it is left after the destructor.
    int publish(bool replace);

private:
    int link_to(const std::filesystem::path& name) const;
    int rename_into_place(bool replace);
    std::filesystem::path path_, name_;  ///< name_: empty while it has none
    std::optional<Leftover> leftover_;   ///< of name_
    int descriptor_ = -1;
};

}  // namespace limrisk

// See recovered_copy.hpp.
#include "store/recovered_copy.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <string>
#include <tuple>

#include "limrisk/error.hpp"

namespace limrisk {
namespace {

namespace fs = std::filesystem;

constexpr const char* interrupted =
    "its last writer was stopped in the middle of a block; every block committed before is safe, and `limrisk run` rolls back the rest. "
    "To read the store without changing it, limrisk rolls back a copy";

/// Changes when somebody writes the file.
auto state_of(const fs::path& path) {
    struct stat status {};
    const bool there = stat(path.c_str(), &status) == 0;
    return std::tuple(there, status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

std::string said_of(const fs::path& store) { return fmt::format("store {}: {}, and ", store.string(), interrupted); }

}  // namespace

RecoveredCopy::RecoveredCopy(const fs::path& store) : copy_("limrisk-read", said_of(store)) {
    const fs::path journal = store.string() + "-journal", folder = path().parent_path();
    const auto fail = [&](const std::string& why) {
        throw StoreError(ExitCode::InputOutput, fmt::format("{}{}; set TMPDIR to use another directory", said_of(store), why));
    };
    std::error_code error;
    const auto before = std::pair(state_of(store), state_of(journal));
    const std::uintmax_t size = fs::file_size(store, error);
    if (!error && fs::space(folder, error).available < size)
        fail(fmt::format("{1} has no space for its {0} bytes", size, folder.parent_path().string()));
    if (!error) fs::copy_file(store, path(), error);
    if (!error) fs::copy_file(journal, path().string() + "-journal", error);
    if (std::pair(state_of(store), state_of(journal)) != before) {
        throw StoreError(ExitCode::Busy,
                         fmt::format("store {}: a writer is rolling back an interrupted transaction; try again", store.string()));
    }
    if (error) fail(fmt::format("it cannot be copied to {}: {}", folder.parent_path().string(), error.message()));
}

}  // namespace limrisk

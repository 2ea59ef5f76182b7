// See recovered_copy.hpp.
#include "store/recovered_copy.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
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

}  // namespace

RecoveredCopy::RecoveredCopy(const fs::path& store) {
    const fs::path journal = store.string() + "-journal";
    const auto fail = [&](const std::string& why) {
        throw StoreError(ExitCode::InputOutput,
                         fmt::format("store {}: {}, and {}; set TMPDIR to use another directory", store.string(), interrupted, why));
    };
    std::error_code error;
    const fs::path temporary = fs::temp_directory_path(error);
    if (error) fail(error.message());
    std::string name = (temporary / "limrisk-read-XXXXXX").string();
    if (!mkdtemp(name.data())) fail(fmt::format("{} cannot be written: {}", temporary.string(), std::strerror(errno)));
    folder_ = name;
    path_ = folder_ / "store";
    journal_.emplace(path_.string() + "-journal");
    file_.emplace(path_);
    folder_left_.emplace(folder_);
    const auto before = std::pair(state_of(store), state_of(journal));
    const std::uintmax_t size = fs::file_size(store, error);
    if (!error && fs::space(temporary, error).available < size)
        fail(fmt::format("{1} has no space for its {0} bytes", size, temporary.string()));
    if (!error) fs::copy_file(store, path_, error);
    if (!error) fs::copy_file(journal, path_.string() + "-journal", error);
    if (std::pair(state_of(store), state_of(journal)) != before) {
        throw StoreError(ExitCode::Busy,
                         fmt::format("store {}: a writer is rolling back an interrupted transaction; try again", store.string()));
    }
    if (error) fail(fmt::format("it cannot be copied to {}: {}", temporary.string(), error.message()));
}

RecoveredCopy::~RecoveredCopy() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

}  // namespace limrisk

// See temporary_store.hpp.
#include "store/temporary_store.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "limrisk/error.hpp"

namespace limrisk {

namespace fs = std::filesystem;

TemporaryStore::TemporaryStore(const std::string& name, const std::string& before) {
    const auto fail = [&](const std::string& why) {
        throw StoreError(ExitCode::InputOutput, fmt::format("{}{}; set TMPDIR to use another directory", before, why));
    };
    std::error_code error;
    const fs::path temporary = fs::temp_directory_path(error);
    if (error) fail(error.message());
    std::string made = (temporary / (name + "-XXXXXX")).string();
    if (!mkdtemp(made.data())) fail(fmt::format("{} cannot be written: {}", temporary.string(), std::strerror(errno)));
    folder_ = made;
    journal_left_.emplace(path().string() + "-journal");
    store_left_.emplace(path());
    folder_left_.emplace(folder_);
}

TemporaryStore::~TemporaryStore() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

}  // namespace limrisk

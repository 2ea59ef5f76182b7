// What lies beside a store that somebody sent: SQLite would follow it, so limrisk looks first.
#pragma once
#include <filesystem>

namespace limrisk {

/// Throws StoreError(Data) if the journal beside the file names another file (a super-journal, which SQLite would read and delete; limrisk
/// never makes one), if the journal is a link, or if there is a write-ahead log, which limrisk never makes and whose pages SQLite
/// would take for those of the store. `path` is absolute, with links resolved.
void check_journal(const std::filesystem::path& path);

}  // namespace limrisk

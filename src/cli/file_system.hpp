// What the file system of a store offers: its kind, its space, and whether locks and fsync work there.
#pragma once
#include <filesystem>
#include <string>

namespace limrisk::cli {

struct FileSystemReport {
    std::string kind;  ///< "ext4", "nfs", or its magic number
    bool network = false;
    double free_bytes = 0, total_bytes = 0;  ///< free: for this user
    std::string problem;                     ///< why a store cannot live here; empty if it can
};

/// Looks at `directory` and tries a file in it (created, locked, written, synced and removed).
FileSystemReport inspect_directory(const std::filesystem::path& directory);

}  // namespace limrisk::cli

// Files read and written as a whole, without exceptions: the cache's failures are reasons, not errors.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace limrisk::cuda {

/// The bytes of a regular file; nothing if there is none, it cannot be read, or it is larger than `limit_bytes`. Never waits, even
/// where a pipe or a device has the name.
std::optional<std::string> read_regular_file(const std::filesystem::path& path, std::uint64_t limit_bytes);

/// Another process sees the old file or the new one. Returns "" or why it failed.
std::string replace_file(const std::filesystem::path& path, std::string_view bytes);

/// Makes the directory and those above it that are missing, for this user only. Returns "" or why it failed.
std::string make_private_directories(const std::filesystem::path& directory);

}  // namespace limrisk::cuda

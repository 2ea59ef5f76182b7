// A file that appears under its name only when it is complete.
#pragma once
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string_view>

namespace limrisk {

/// Writes to a temporary file beside `path`; commit() renames it, the destructor removes it otherwise. Throws Error(InputOutput).
class OutputFile {
public:
    OutputFile(std::filesystem::path path, bool overwrite);
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile();
    void write(std::string_view bytes);
    void write_at(std::int64_t offset, std::string_view bytes);
    void commit();

private:
    [[noreturn]] void fail(const char* doing) const;
    std::filesystem::path path_, temporary_;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

}  // namespace limrisk

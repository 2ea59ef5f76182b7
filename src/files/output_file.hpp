// The one way in which limrisk writes a result: a file that appears under its name when it is complete, or a stream.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "files/output_target.hpp"
#include "files/temporary_file.hpp"

namespace limrisk {

/// Thrown when the reader of a pipe has gone (`limrisk summary x.db | head -1`): no error of anybody.
struct PipeClosed {};

/// Writes to a temporary file in the folder of `name`; commit() gives it the name, durably, and never in the place of a file that is there
/// unless `replace`. `-` is stdout; it, FIFOs and character devices are written as it comes. What is refused: output_target.hpp.
/// Throws Error(InputOutput), PipeClosed.
class OutputFile {
public:
    OutputFile(const std::filesystem::path& name, bool replace, mode_t permissions = 0666,
               TemporaryFile::Naming naming = TemporaryFile::Naming::NoneIfPossible);
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile();
    void write(std::string_view bytes);
    /// Anywhere in the file; not beside write(). To a stream all of it goes at the end, through a file without a name.
    void write_at(std::int64_t offset, std::string_view bytes);
    void commit();

    bool is_stdout() const { return target_.is_stdout(); }
    bool is_terminal();
    std::string shown_name() const;  ///< "standard output" or the name, for messages

private:
    int stream();
    void flush();
    [[noreturn]] void fail(const char* doing, int error) const;
    OutputTarget target_;
    bool replace_;
    std::optional<TemporaryFile> temporary_;  ///< of a stream: made by write_at
    int stream_ = -1;
    std::string buffer_;
};

}  // namespace limrisk

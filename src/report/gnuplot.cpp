// gnuplot as a child process; see gnuplot.hpp. Its script, stdout, stderr and figures are files in memory, so nobody waits for a full pipe.
#include "report/gnuplot.hpp"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <span>
#include <sstream>
#include <utility>

#include "files/write_all.hpp"
#include "limrisk/error.hpp"
#include "report/plot_script.hpp"

namespace limrisk {

namespace fs = std::filesystem;

namespace {

constexpr const char* advice =
    "`limrisk report` draws with gnuplot. Install the package gnuplot-nox (Debian, Ubuntu: apt-get install gnuplot-nox; elsewhere "
    "gnuplot), or name the program in LIMRISK_GNUPLOT";

/// A file in memory, of which nothing can be left behind. gnuplot, to which it is passed on, knows it by the same name.
class MemoryFile {
public:
    explicit MemoryFile(std::string_view text = "") : descriptor_(memfd_create("limrisk-report", MFD_CLOEXEC)) {
        if (descriptor_ < 0 || write_all(descriptor_, text) != 0 || lseek(descriptor_, 0, SEEK_SET) != 0)
            throw Error(ExitCode::InputOutput, fmt::format("no room for a figure in memory: {}", std::strerror(errno)));
    }
    MemoryFile(MemoryFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    MemoryFile& operator=(MemoryFile&&) = delete;
    ~MemoryFile() {
        if (descriptor_ >= 0) close(descriptor_);
    }
    int descriptor() const { return descriptor_; }
    std::string name() const { return fmt::format("/proc/self/fd/{}", descriptor_); }
    std::string contents() const {
        const off_t size = lseek(descriptor_, 0, SEEK_END);
        std::string text(static_cast<std::size_t>(std::max<off_t>(size, 0)), '\0');
        const ssize_t got = pread(descriptor_, text.data(), text.size(), 0);
        text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        return text;
    }

private:
    int descriptor_;
};

/// What a file holds as long as gnuplot has not begun its figure.
constexpr std::string_view not_begun = "-";

/// Open at once: figures of one process.
constexpr std::size_t batch = 64;

bool is_program(const fs::path& path) {
    std::error_code error;
    return fs::is_regular_file(path, error) && ::access(path.c_str(), X_OK) == 0;
}

std::string terminal(const Figure& figure, FigureFormat format) {
    if (format == FigureFormat::Svg) {
        return fmt::format("set terminal svg size {},{} font 'sans-serif,12' noenhanced\n", figure.width, figure.height);
    }
    // The same size: 96 pixels are an inch. pdfcairo draws letters, lines and points at scales of its own.
    return fmt::format(
        "set terminal pdfcairo size {:.4f}in,{:.4f}in font 'sans,9' fontscale 0.75 linewidth 1.6 pointscale 0.55 noenhanced\n",
        figure.width / 96.0, figure.height / 96.0);
}

/// Exit status as waitpid gives it.
int run(const fs::path& program, const MemoryFile& script, const MemoryFile& out, const MemoryFile& err,
        std::span<const MemoryFile> figures) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, script.descriptor(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out.descriptor(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err.descriptor(), STDERR_FILENO);
    // To itself: the child keeps it.
    for (const MemoryFile& figure : figures) posix_spawn_file_actions_adddup2(&actions, figure.descriptor(), figure.descriptor());
    std::string name = program.string(), defaults = "-d";  // -d: nobody's gnuplotrc
    char* const words[] = {name.data(), defaults.data(), nullptr};
    pid_t child = -1;
    const int error = posix_spawn(&child, program.c_str(), &actions, nullptr, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        throw Error(ExitCode::Unavailable, fmt::format("{}: cannot be started: {}. {}", name, std::strerror(error), advice));
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) throw Error(ExitCode::InputOutput, fmt::format("{}: waitpid: {}", name, std::strerror(errno)));
    }
    return status;
}

std::string ending(int status) {
    if (WIFSIGNALED(status)) return fmt::format("was ended by signal {}", WTERMSIG(status));
    return fmt::format("ended with exit code {}", WEXITSTATUS(status));
}

/// The figures by one process.
std::vector<std::string> draw_batch(const fs::path& gnuplot, std::span<const Figure> figures, FigureFormat format) {
    std::vector<MemoryFile> files;
    std::string script;
    for (const Figure& figure : figures) {
        const MemoryFile& file = files.emplace_back(not_begun);
        script += "reset session\n" + terminal(figure, format);
        script += fmt::format("set output {}\n{}unset output\n", gnuplot_text(file.name()), figure.script);
    }
    const MemoryFile input(script), output, errors;
    const int status = run(gnuplot, input, output, errors, files);
    std::vector<std::string> drawn;
    for (const MemoryFile& file : files) drawn.push_back(file.contents());
    const auto is_drawn = [](const std::string& text) { return !text.empty() && text != not_begun; };
    if (status == 0 && std::all_of(drawn.begin(), drawn.end(), is_drawn)) return drawn;

    const std::string said = errors.contents();
    if (said.find("unknown or ambiguous terminal") != std::string::npos) {
        throw Error(ExitCode::Unavailable, fmt::format("{} cannot write {}:\n{}{}", gnuplot.string(),
                                                       format == FigureFormat::Svg ? "SVG" : "PDF (terminal pdfcairo)", said, advice));
    }
    std::size_t last = 0;
    for (std::size_t k = 0; k < figures.size(); ++k) last = drawn[k] != not_begun ? k : last;
    throw Error(ExitCode::Unavailable, fmt::format("{} {} at figure {}:\n{}", gnuplot.string(), ending(status), figures[last].name,
                                                   said.empty() ? "(no message)" : said));
}

}  // namespace

fs::path find_gnuplot() {
    if (const char* named = std::getenv("LIMRISK_GNUPLOT"); named && *named) {
        if (is_program(named)) return named;
        throw Error(ExitCode::Unavailable, fmt::format("LIMRISK_GNUPLOT is \"{}\", which is no program. {}", named, advice));
    }
    const char* search = std::getenv("PATH");
    std::istringstream directories(search ? search : "/usr/local/bin:/usr/bin:/bin");
    for (std::string directory; std::getline(directories, directory, ':');) {
        fs::path program = fs::path(directory.empty() ? "." : directory) / "gnuplot";
        if (is_program(program)) return program;
    }
    throw Error(ExitCode::Unavailable, fmt::format("no gnuplot on PATH. {}", advice));
}

std::vector<std::string> draw(const fs::path& gnuplot, const std::vector<Figure>& figures, FigureFormat format) {
    std::vector<std::string> drawn;
    for (std::size_t first = 0; first < figures.size(); first += batch) {
        const std::span<const Figure> some = std::span(figures).subspan(first, std::min(batch, figures.size() - first));
        for (std::string& text : draw_batch(gnuplot, some, format)) drawn.push_back(std::move(text));
    }
    return drawn;
}

}  // namespace limrisk

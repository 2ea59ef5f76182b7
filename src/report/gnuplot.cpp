// gnuplot as a child process; see gnuplot.hpp. Its script, stdout and stderr are files, so nobody waits for a full pipe.
#include "report/gnuplot.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>

#include "limrisk/error.hpp"
#include "report/plot_script.hpp"

namespace limrisk {

namespace fs = std::filesystem;

namespace {

constexpr const char* advice =
    "`limrisk report` draws with gnuplot. Install the package gnuplot-nox (Debian, Ubuntu: apt-get install gnuplot-nox; elsewhere "
    "gnuplot), "
    "or name the program in LIMRISK_GNUPLOT";

/// A directory of its own that goes when it ends, with all in it.
class ScratchDirectory {
public:
    ScratchDirectory() {
        std::string name = (fs::absolute(fs::temp_directory_path()) / "limrisk-report-XXXXXX").string();
        if (!mkdtemp(name.data())) throw Error(ExitCode::InputOutput, fmt::format("{}: cannot be created: {}", name, std::strerror(errno)));
        path_ = name;
    }
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;
    ~ScratchDirectory() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    const fs::path& path() const { return path_; }

private:
    fs::path path_;
};

bool is_program(const fs::path& path) {
    std::error_code error;
    return fs::is_regular_file(path, error) && ::access(path.c_str(), X_OK) == 0;
}

std::string contents(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write(const fs::path& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    if (!(file << text).flush()) throw Error(ExitCode::InputOutput, fmt::format("{}: cannot be written", path.string()));
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
int run(const fs::path& program, const fs::path& script, const fs::path& out, const fs::path& err) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, script.c_str(), O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
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
    throw Error(ExitCode::Unavailable, fmt::format("there is no gnuplot on PATH. {}", advice));
}

std::vector<std::string> draw(const fs::path& gnuplot, const std::vector<Figure>& figures, FigureFormat format) {
    if (figures.empty()) return {};
    const ScratchDirectory scratch;
    const auto file = [&](std::size_t k) { return scratch.path() / fmt::format("{}.figure", k); };
    std::string script;
    for (std::size_t k = 0; k < figures.size(); ++k) {
        script += "reset session\n" + terminal(figures[k], format);
        script += fmt::format("set output {}\n{}unset output\n", gnuplot_text(file(k).string()), figures[k].script);
    }
    write(scratch.path() / "script", script);
    const int status = run(gnuplot, scratch.path() / "script", scratch.path() / "stdout", scratch.path() / "stderr");
    std::vector<std::string> drawn;
    for (std::size_t k = 0; k < figures.size(); ++k) drawn.push_back(contents(file(k)));
    if (status == 0 && std::none_of(drawn.begin(), drawn.end(), [](const std::string& text) { return text.empty(); })) return drawn;

    const std::string said = contents(scratch.path() / "stderr");
    if (said.find("unknown or ambiguous terminal") != std::string::npos) {
        throw Error(ExitCode::Unavailable, fmt::format("{} cannot write {}:\n{}{}", gnuplot.string(),
                                                       format == FigureFormat::Svg ? "SVG" : "PDF (terminal pdfcairo)", said, advice));
    }
    std::size_t last = 0;  // gnuplot makes a file when it begins a figure
    for (std::size_t k = 0; k < figures.size(); ++k) last = fs::exists(file(k)) ? k : last;
    throw Error(ExitCode::Unavailable, fmt::format("{} {} at figure {}:\n{}", gnuplot.string(), ending(status), figures[last].name,
                                                   said.empty() ? "(it said nothing)" : said));
}

}  // namespace limrisk

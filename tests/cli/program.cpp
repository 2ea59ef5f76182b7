// fork, exec, wait. Output goes to files rather than pipes, so that no child ever waits for the test.
#include "program.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

namespace limrisk::test {
namespace {

std::string contents(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

void redirect(const std::filesystem::path& path, int descriptor) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || ::dup2(file, descriptor) < 0) ::_exit(126);
}

}  // namespace

Process::Process(const std::filesystem::path& directory, std::vector<std::string> words, const std::vector<std::string>& environment) {
    static std::atomic<int> number{0};
    const int mine = number++;
    out_ = directory / fmt::format(".stdout-{}-{}", ::getpid(), mine);
    err_ = directory / fmt::format(".stderr-{}-{}", ::getpid(), mine);
    if (words.at(0) == "limrisk") words[0] = LIMRISK_PROGRAM;
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork failed");
    if (pid_ != 0) return;
    if (::chdir(directory.c_str()) != 0) ::_exit(126);
    redirect("/dev/null", STDIN_FILENO);
    redirect(out_, STDOUT_FILENO);
    redirect(err_, STDERR_FILENO);
    for (const std::string& variable : environment) ::putenv(const_cast<char*>(variable.c_str()));
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
}

Process::~Process() {
    if (pid_ > 0 && !ended_) {
        send(SIGKILL);
        reap(0);
    }
}

void Process::reap(int options) {
    if (!ended_ && ::waitpid(pid_, &status_, options) == pid_) ended_ = true;
}

void Process::send(int signal) const { ::kill(pid_, signal); }

bool Process::running() {
    reap(WNOHANG);
    return !ended_;
}

Output Process::wait() {
    reap(0);
    const int code = WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
    return {code, contents(out_), contents(err_)};
}

std::string Process::stderr_so_far() const { return contents(err_); }

void ProgramTest::SetUp() {
    directory_ = std::filesystem::temp_directory_path() / fmt::format("limrisk-cli-{}-{:08x}", ::getpid(), std::random_device{}());
    std::filesystem::create_directory(directory_);
    write("campaign.toml", campaign_text(70, 40));
}

void ProgramTest::TearDown() {
    for (const int pipe : pipes_) ::close(pipe);
    std::filesystem::remove_all(directory_);
}

Output ProgramTest::limrisk(std::vector<std::string> words, const std::vector<std::string>& environment) const {
    words.insert(words.begin(), "limrisk");
    return Process(directory_, words, environment).wait();
}

Output ProgramTest::succeed(std::vector<std::string> words) const {
    Output output = limrisk(std::move(words));
    EXPECT_EQ(output.code, 0) << output.err;
    return output;
}

Output ProgramTest::shell(const std::string& line) const {
    const std::string directory = std::filesystem::path(LIMRISK_PROGRAM).parent_path().string();
    const char* search = std::getenv("PATH");
    return Process(directory_, {"/bin/sh", "-c", line}, {fmt::format("PATH={}:{}", directory, search ? search : "/usr/bin:/bin")}).wait();
}

std::string ProgramTest::read(const std::string& name) const { return contents(path(name)); }

void ProgramTest::write(const std::string& name, const std::string& text) const { std::ofstream(path(name), std::ios::binary) << text; }

void ProgramTest::make_full_pipe(const std::string& name) {
    ASSERT_EQ(::mkfifo(path(name).c_str(), 0600), 0);
    pipes_.push_back(::open(path(name).c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    ASSERT_GE(pipes_.back(), 0);
    const std::string text(4096, 'x');
    for (std::size_t size = text.size(); size > 0; size /= 2)
        while (::write(pipes_.back(), text.data(), size) > 0) {
        }
}

std::string ProgramTest::exported(const std::string& store) const {
    const std::string file = store + ".exported.csv";
    succeed({"export", store, "--format", "csv", "--out", file, "--force"});
    return read(file);
}

std::string campaign_text(int trials, int steps, const std::string& widths, const std::string& extra) {
    return fmt::format(R"(name = "cli test"
trials = {}
steps = {}
{}
[problem]
input = {{ law = "uniform", dimension = 1, low = 0.0, high = 1.0 }}
target = "x1^2 + 2*x1"
[network]
width = {}
[training]
batch = 8
optimizer = {{ name = "adam", learning_rate = 0.01 }}
[tracking]
checks = 4
tail = 2
)",
                       trials, steps, extra, widths);
}

void sleep_for(std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }

}  // namespace limrisk::test

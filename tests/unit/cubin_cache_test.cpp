// The cache of compiled kernels against everything that can be wrong with files, and the scheduling of compiles with a compiler that
// only counts. Nothing here needs NVRTC.
#include "backend/cuda/cubin_cache.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "backend/cuda/compile_many.hpp"
#include "backend/cuda/cubin_file.hpp"
#include "limrisk/error.hpp"

namespace limrisk::cuda {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

/// A compiler whose machine code is its source: counts, and fails as the source asks.
class CountingCompiler : public Compiler {
public:
    std::string identity() const override { return identity_text; }
    std::vector<std::string> fixed_options() const override { return {"--fixed"}; }
    CompiledProgram compile(const CompileJob& job) const override {
        ++compiles;
        if (job.source == "wrong") throw Defect("compiling " + job.name + ": expected an expression");
        if (job.source == "memory") throw std::runtime_error("no memory");
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        return {"code of " + job.source, "log", {{"kernel<float>", "_Z6kernel"}}};
    }

    std::string identity_text = "counting compiler 1";
    mutable std::atomic<int> compiles{0};
};

CompileJob job_of(const std::string& source, const std::string& name = "a job") {
    CompileJob job;
    job.name = name;
    job.source = source;
    job.architecture = "sm_90";
    return job;
}

CubinKey key_of(const std::string& source) { return cubin_key(job_of(source), CountingCompiler()); }

const CompiledProgram program{
    std::string("\0ELF machine code\xFF", 18), "two\nlines", {{"kernel<float>", "_Z1"}, {"kernel<double>", "_Z2"}}};

std::string read(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

void write(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

class CubinCacheTest : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "limrisk-cache-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        root = pattern;
    }
    void TearDown() override { fs::remove_all(root); }

    CubinCache cache(std::uint64_t limit = CubinCache::default_limit_bytes) { return CubinCache(root / "made" / "limrisk", limit, warn()); }
    std::function<void(const std::string&)> warn() {
        return [this](const std::string& line) { warnings.push_back(line); };
    }

    fs::path root;
    std::vector<std::string> warnings;
};

TEST_F(CubinCacheTest, GivesBackWhatWasInserted) {
    CubinCache first = cache();
    EXPECT_EQ(first.find(key_of("a")), std::nullopt);
    EXPECT_FALSE(fs::exists(first.directory())) << "looking makes no directory";
    first.insert(key_of("a"), program);
    EXPECT_EQ(first.find(key_of("a")), program);
    EXPECT_EQ(cache().find(key_of("a")), program) << "in a later run";
    EXPECT_EQ(first.find(key_of("b")), std::nullopt);
    EXPECT_EQ(first.usage().programs, 1u);
    EXPECT_EQ(first.usage().bytes, fs::file_size(first.path_of(key_of("a"))));
    EXPECT_EQ(fs::status(first.directory()).permissions() & fs::perms(0777), fs::perms(0700));
    EXPECT_THAT(warnings, ElementsAre());
}

TEST_F(CubinCacheTest, NoDamagedByteIsTrusted) {
    CubinCache one = cache();
    const CubinKey key = key_of("a");
    one.insert(key, program);
    const fs::path path = one.path_of(key);
    const std::string sound = read(path);
    ASSERT_GT(sound.size(), cubin_header_bytes);
    for (std::size_t length = 0; length < sound.size(); ++length) {
        write(path, sound.substr(0, length));
        EXPECT_EQ(one.find(key), std::nullopt) << "truncated to " << length << " bytes";
    }
    for (std::size_t i = 0; i < sound.size(); ++i) {
        std::string damaged = sound;
        damaged[i] = static_cast<char>(damaged[i] ^ (1 << (i % 8)));
        write(path, damaged);
        EXPECT_EQ(one.find(key), std::nullopt) << "byte " << i << " flipped";
    }
    write(path, sound + '\0');
    EXPECT_EQ(one.find(key), std::nullopt) << "longer by one byte";
    write(path, "something else, by another program");
    EXPECT_EQ(one.find(key), std::nullopt);
    one.insert(key, program);
    EXPECT_EQ(one.find(key), program) << "a damaged file is replaced";
}

TEST_F(CubinCacheTest, AFileUnderAnotherKeyIsForeign) {
    CubinCache one = cache();
    one.insert(key_of("a"), program);
    fs::copy_file(one.path_of(key_of("a")), one.path_of(key_of("b")));
    EXPECT_EQ(one.find(key_of("b")), std::nullopt);
}

TEST_F(CubinCacheTest, OtherThingsInTheFilesPlace) {
    CubinCache one = cache();
    one.insert(key_of("first"), program);
    fs::create_directory(one.path_of(key_of("directory")));
    ASSERT_EQ(mkfifo(one.path_of(key_of("pipe")).c_str(), 0600), 0);
    fs::create_symlink(one.path_of(key_of("loop")), one.path_of(key_of("loop")));
    for (const char* name : {"directory", "pipe", "loop"}) EXPECT_EQ(one.find(key_of(name)), std::nullopt) << name;
    for (const char* name : {"pipe", "loop"}) {
        one.insert(key_of(name), program);
        EXPECT_EQ(one.find(key_of(name)), program) << name;
    }
    EXPECT_THAT(warnings, ElementsAre());
    one.insert(key_of("directory"), program);
    one.insert(key_of("directory"), program);
    ASSERT_EQ(warnings.size(), 1u) << "said once";
    EXPECT_THAT(warnings[0], HasSubstr(one.path_of(key_of("directory")).string()));
    EXPECT_EQ(one.find(key_of("first")), program);
    EXPECT_EQ(one.usage().programs, 3u);
}

TEST_F(CubinCacheTest, WorksWithoutAUsableDirectory) {
    write(root / "file", "");
    const bool superuser = geteuid() == 0;
    fs::create_directory(root / "readonly");
    fs::permissions(root / "readonly", fs::perms(0500));
    for (const fs::path& directory : {root / "file" / "limrisk", root / "file", fs::path("/proc/self"), fs::path("/proc/none/limrisk"),
                                      root / "readonly" / "limrisk", fs::path()}) {
        if (superuser && directory == root / "readonly" / "limrisk") continue;  // the superuser may write everywhere
        warnings.clear();
        CubinCache one(directory, CubinCache::default_limit_bytes, warn());
        if (!(superuser && directory.string().starts_with("/proc"))) {
            EXPECT_NE(one.why_unusable(), "") << directory;
        }
        EXPECT_EQ(one.find(key_of("a")), std::nullopt);
        one.insert(key_of("a"), program);
        one.insert(key_of("b"), program);
        EXPECT_EQ(one.find(key_of("a")), std::nullopt);
        ASSERT_EQ(warnings.size(), 1u) << directory << ": said once";
        EXPECT_THAT(warnings[0], HasSubstr("XDG_CACHE_HOME"));
    }
    EXPECT_EQ(cache().why_unusable(), "") << "a directory that can be made is usable";
}

TEST_F(CubinCacheTest, AFailedWriteLeavesNothing) {
    CubinCache one = cache();
    one.insert(key_of("small"), program);
    CompiledProgram large = program;
    large.cubin.assign(100000, 'x');
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit tight{4096, before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
    one.insert(key_of("large"), large);
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    std::signal(SIGXFSZ, handler);
    EXPECT_EQ(warnings.size(), 1u);
    EXPECT_EQ(one.find(key_of("large")), std::nullopt);
    EXPECT_EQ(std::distance(fs::directory_iterator(one.directory()), {}), 1) << "no temporary file is left";
    EXPECT_EQ(one.find(key_of("small")), program);
}

TEST_F(CubinCacheTest, TheLeastRecentlyUsedGoFirst) {
    const std::uint64_t size = encode_cubin_file(key_of("0"), program).size();
    CubinCache three = cache(3 * size + size / 2);
    const auto now = fs::file_time_type::clock::now();
    for (int i = 0; i < 3; ++i) {
        three.insert(key_of(std::to_string(i)), program);
        fs::last_write_time(three.path_of(key_of(std::to_string(i))), now - std::chrono::minutes(30 - i));
    }
    EXPECT_EQ(three.usage().programs, 3u);
    EXPECT_EQ(three.find(key_of("0")), program);  // the oldest, but now used
    write(three.directory() / "notes.txt", std::string(10 * size, 'x'));
    three.insert(key_of("3"), program);
    EXPECT_EQ(three.find(key_of("1")), std::nullopt);
    for (const char* kept : {"0", "2", "3"}) EXPECT_EQ(three.find(key_of(kept)), program) << kept;
    EXPECT_TRUE(fs::exists(three.directory() / "notes.txt")) << "what is not of the cache is not touched";
    EXPECT_LE(three.usage().bytes, three.limit_bytes());

    CubinCache tiny(three.directory(), size, warn());
    tiny.insert(key_of("4"), program);
    EXPECT_EQ(tiny.find(key_of("4")), program) << "the newest stays";
    EXPECT_EQ(tiny.usage().programs, 1u);
    CubinCache none(three.directory(), size - 1, warn());
    none.insert(key_of("5"), program);
    EXPECT_EQ(none.find(key_of("5")), std::nullopt) << "larger than the limit";
    EXPECT_THAT(warnings, ElementsAre());
}

TEST_F(CubinCacheTest, RemovesWhatDeadWritersLeft) {
    CubinCache one = cache();
    one.insert(key_of("a"), program);
    const std::string mark = one.directory() / ("." + key_of("b").hex() + ".cubin.");
    write(mark + "1-00000000.tmp", "torn");
    write(mark + "2-00000000.tmp", "being written");
    fs::last_write_time(mark + "1-00000000.tmp", fs::file_time_type::clock::now() - std::chrono::hours(2));
    one.insert(key_of("c"), program);
    EXPECT_FALSE(fs::exists(mark + "1-00000000.tmp"));
    EXPECT_TRUE(fs::exists(mark + "2-00000000.tmp"));
}

TEST_F(CubinCacheTest, ProcessesAtOnce) {
    // Two writers of the same few keys under a bound that removes all the time; what a reader finds is whole.
    constexpr int keys = 5, rounds = 200;
    CompiledProgram large = program;
    large.cubin.assign(20000, 'x');
    const std::uint64_t limit = 3 * encode_cubin_file(key_of("0"), large).size();
    std::vector<pid_t> children;
    for (int child = 0; child < 2; ++child) {
        const pid_t pid = fork();
        ASSERT_GE(pid, 0);
        if (pid == 0) {
            bool warned = false;
            CubinCache writer(root / "shared", limit, [&](const std::string&) { warned = true; });
            for (int i = 0; i < rounds; ++i) writer.insert(key_of(std::to_string((i + child) % keys)), large);
            _exit(warned ? 1 : 0);
        }
        children.push_back(pid);
    }
    CubinCache reader(root / "shared", limit, warn());
    int found = 0;
    for (int i = 0; i < rounds * 5; ++i) {
        const auto got = reader.find(key_of(std::to_string(i % keys)));
        if (!got) continue;
        ++found;
        ASSERT_EQ(got, large);
    }
    for (const pid_t pid : children) {
        int status = -1;
        ASSERT_EQ(waitpid(pid, &status, 0), pid);
        EXPECT_EQ(status, 0);
    }
    for (int i = 0; i < keys; ++i) found += reader.find(key_of(std::to_string(i))).has_value();
    EXPECT_GT(found, 0);
    EXPECT_LE(reader.usage().bytes, limit);
    for (const auto& entry : fs::directory_iterator(root / "shared")) EXPECT_EQ(entry.path().extension(), ".cubin") << entry.path();
}

TEST_F(CubinCacheTest, DefaultDirectory) {
    const std::string cache_home = std::getenv("XDG_CACHE_HOME") ? std::getenv("XDG_CACHE_HOME") : "";
    const std::string home = std::getenv("HOME") ? std::getenv("HOME") : "";
    setenv("XDG_CACHE_HOME", "/some/cache", 1);
    setenv("HOME", "/home/someone", 1);
    EXPECT_EQ(CubinCache::default_directory(), "/some/cache/limrisk");
    setenv("XDG_CACHE_HOME", "relative", 1);
    EXPECT_EQ(CubinCache::default_directory(), "/home/someone/.cache/limrisk");
    unsetenv("XDG_CACHE_HOME");
    EXPECT_EQ(CubinCache::default_directory(), "/home/someone/.cache/limrisk");
    cache_home.empty() ? unsetenv("XDG_CACHE_HOME") : setenv("XDG_CACHE_HOME", cache_home.c_str(), 1);
    home.empty() ? unsetenv("HOME") : setenv("HOME", home.c_str(), 1);
}

TEST(CubinKey, DependsOnEverythingThatTheMachineCodeDependsOn) {
    static const std::vector<SourceText> one{{"a.hpp", "int a;"}}, text{{"a.hpp", "int b;"}}, name{{"b.hpp", "int a;"}};
    static const std::vector<SourceText> moved{{"a.hppint", " a;"}};
    CompileJob base = job_of("source");
    base.headers = one;
    std::vector<CompileJob> others(9, base);
    others[0].source = "source ";
    others[1].headers = text;
    others[2].headers = name;
    others[3].headers = moved;
    others[4].headers = {};
    others[5].options = {"-Da"};
    others[6].name_expressions = {"-Da"};
    others[7].architecture = "sm_80";
    others[8].options = {"-D", "a"};
    const CountingCompiler compiler;
    CountingCompiler newer;
    newer.identity_text = "counting compiler 2";
    std::set<CubinKey> keys{cubin_key(base, compiler), cubin_key(base, newer)};
    for (const CompileJob& job : others) keys.insert(cubin_key(job, compiler));
    EXPECT_EQ(keys.size(), others.size() + 2);
    CompileJob renamed = base;
    renamed.name = "another cell with the same kernel";
    EXPECT_EQ(cubin_key(renamed, compiler), cubin_key(base, compiler));
    EXPECT_EQ(cubin_key(base, compiler).hex().size(), 32u);
}

using CompileManyTest = CubinCacheTest;

TEST_F(CompileManyTest, CompilesEachDifferentProgramOnce) {
    CubinCache one = cache();
    const CountingCompiler compiler;
    std::vector<CompileJob> jobs;
    for (int i = 0; i < 40; ++i) jobs.push_back(job_of(std::to_string(i % 10), "cell " + std::to_string(i)));
    CompileManyOptions options;
    options.cache = &one;
    options.threads = 4;
    std::vector<std::size_t> progress;
    options.progress = [&](std::size_t done, std::size_t total) {
        EXPECT_EQ(total, 10u);
        progress.push_back(done);
    };
    const CompiledSet cold = compile_many(compiler, jobs, options);
    EXPECT_EQ(compiler.compiles, 10);
    EXPECT_EQ(cold.compiled, 10u);
    EXPECT_EQ(cold.from_cache, 0u);
    EXPECT_THAT(progress, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
    ASSERT_EQ(cold.programs.size(), jobs.size());
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        EXPECT_EQ(cold.programs[i]->cubin, "code of " + jobs[i].source);
        EXPECT_EQ(cold.programs[i], cold.programs[i % 10]) << "shared";
    }
    fs::remove(one.path_of(key_of("3")));
    const CompiledSet warm = compile_many(compiler, jobs, options);
    EXPECT_EQ(compiler.compiles, 11);
    EXPECT_EQ(warm.compiled, 1u);
    EXPECT_EQ(warm.from_cache, 9u);
    for (std::size_t i = 0; i < jobs.size(); ++i) EXPECT_EQ(*warm.programs[i], *cold.programs[i]);
    EXPECT_EQ(compile_many(compiler, {}, options).programs.size(), 0u);
    EXPECT_EQ(compile_many(compiler, jobs).compiled, 10u) << "without a cache";
}

TEST_F(CompileManyTest, AnErrorNamesItsJobAndStopsTheOthers) {
    const CountingCompiler compiler;
    std::vector<CompileJob> jobs;
    for (int i = 0; i < 1000; ++i) jobs.push_back(job_of(std::to_string(i)));
    jobs[5] = job_of("wrong", "cell 5, train");
    CompileManyOptions options;
    options.threads = 3;
    try {
        compile_many(compiler, jobs, options);
        FAIL() << "no error";
    } catch (const Defect& error) {
        EXPECT_STREQ(error.what(), "compiling cell 5, train: expected an expression");
    }
    EXPECT_LT(compiler.compiles, 100);
    jobs.assign(1, job_of("memory", "cell 0, evaluate"));
    try {
        compile_many(compiler, jobs, options);
        FAIL() << "no error";
    } catch (const Defect& error) {
        EXPECT_STREQ(error.what(), "compiling cell 0, evaluate for sm_90: no memory");
    }
}

TEST_F(CompileManyTest, ARequestToStopLeavesTheRestOut) {
    const CountingCompiler compiler;
    std::vector<CompileJob> jobs;
    for (int i = 0; i < 10; ++i) jobs.push_back(job_of(std::to_string(i)));
    std::atomic<int> stop{0};
    CompileManyOptions options;
    options.threads = 1;
    options.stop_requests = &stop;
    options.progress = [&](std::size_t done, std::size_t) { stop = done == 3; };
    const CompiledSet set = compile_many(compiler, jobs, options);
    EXPECT_EQ(set.compiled, 3u);
    for (std::size_t i = 0; i < jobs.size(); ++i) EXPECT_EQ(set.programs[i] != nullptr, i < 3);
}

}  // namespace
}  // namespace limrisk::cuda

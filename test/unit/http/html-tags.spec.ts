import { describe, expect, it } from '@jest/globals';
import { attributeOf, findStartTag } from '../../../lib/http/html-tags.js';

const find = (page: string, wanted: string) => findStartTag(page, ({ name }) => name === wanted);

/** The page, cut behind the head's start tag. */
const cut = (page: string): [string, string] | undefined => {
  const head = find(page, 'head');
  return head && [page.slice(0, head.end), page.slice(head.end)];
};

describe('the start tag of a head', () => {
  it.each([
    ['<html><head>', '<title>A</title>'],
    ['<HTML><HEAD>', '<TITLE>A</TITLE>'],
    ['<!doctype html>\n<html lang=en><head\n>', '</head>'],
    ['<head/>', ''],
    ['<head data-a="x > y" data-b=\'<p>\' data-c=1>', '<p>'],
    ['<head data-a = "x > y">', '<p>'],
    ['<head data-it\'s data-5">', '<p title=">">'],
    ['<!-- <head> --><head>', '<p>'],
    ['<!--><head>', '-->'],
    ['<!---><head>', '-->'],
    ['<header></header><headline><head>', ''],
    ['<a title="<head>"><head>', ''],
    ['<script>"<head>"</script><head>', ''],
    ['<textarea><head></textareas></TextArea ><head>', ''],
    ['<title><head></title><head>', ''],
    ['<style>a::before { content: "<head>" }</style><head>', ''],
    ['1 < 2 <head>', '<head>'],
    ['</head><head>', ''],
    ['<?xml version="1.0"?><head>', ''],
  ])('is %s', (before, after) => {
    expect(cut(before + after)).toEqual([before, after]);
  });

  it.each([
    '',
    'head',
    '<header>',
    '</head>',
    '<!-- <head>',
    '<!-- <head> --',
    '<script><head>',
    '<title><head></tit',
    '<a title="<head>',
    '< head>',
    '<head',
    '<head lang="en"',
    '<head lang="en>',
    '<head-line>',
    '&lt;head>',
  ])('is not in %j', (page) => {
    expect(cut(page)).toBeUndefined();
  });

  it.each([
    '<!--',
    '<head "',
    '<head a="',
    "<a b='",
    '<head a=',
    '<title>',
    '<head',
    '<',
    '<script><!--',
    'a= ',
  ])('is looked for in a mebibyte of %j without going over it again and again', (part) => {
    // Twice over it would be 2^40 steps, and the test would be ended.
    expect(find(part.repeat(2 ** 20 / part.length), 'nothing')).toBeUndefined();
  });
});

describe('an attribute', () => {
  it.each([
    ['<script src="/a.js">', '/a.js'],
    ["<script\n defer SRC = '/a.js' >", '/a.js'],
    ['<script src=/a.js defer>', '/a.js'],
    ['<script src>', ''],
    ['<script data-src="/b.js" src="/a.js" src="/c.js">', '/a.js'],
    ['<script title=" src=/b.js " data-src="/b.js">', undefined],
    ['<script>', undefined],
  ])('of %s', (page, value) => {
    expect(attributeOf(find(page, 'script')!, 'src')).toBe(value);
  });
});
